"""How good a map is: labels carried between labs, donors kept apart, labs still visible."""

from cleo_like.atlas.evaluate.batch import BatchPanel, batch_panel
from cleo_like.atlas.evaluate.scores import Score, balanced_accuracy, score
from cleo_like.atlas.evaluate.transfer import Transfer, label_transfer

__all__ = [
    "BatchPanel", "Score", "Transfer", "balanced_accuracy", "batch_panel", "label_transfer",
    "score",
]  # fmt: skip
