"""Which stimulus was shown? Decoding with folds that do not leak."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, texts
from cleo_like.core.errors import InputError, UnsupportedError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["block", "random"]


class LeakWarning(UserWarning):
    """Training and test trials share what is no property of the stimulus."""


@attrs.frozen(kw_only=True)
class Decoding:
    """What a decoder told of trials that it had not seen.

    Parameters
    ----------
    labels : array, shape (n_labels,)
        Kinds of stimuli, sorted.
    true, predicted : array, shape (n_trials,)
        Shown and told, for the trials used.
    fold : array of int, shape (n_trials,)
        The fold in which a trial was tested.
    split : str
        "block" or "random".
    p_value : float
        Share of decodings with the labels of blocks (or trials) exchanged that are as good;
        NaN when none was asked for.
    notes : tuple of str
        Trials that were left out, and why.
    """

    labels: np.ndarray = attrs.field(eq=array_eq)
    true: np.ndarray = attrs.field(eq=array_eq)
    predicted: np.ndarray = attrs.field(eq=array_eq)
    fold: np.ndarray = attrs.field(eq=array_eq)
    split: Split
    p_value: float = np.nan
    notes: tuple[str, ...] = attrs.field(default=(), converter=texts)

    @property
    def accuracy(self) -> float:
        """Share of trials told right."""
        return float((self.true == self.predicted).mean())

    @property
    def balanced_accuracy(self) -> float:
        """Mean over the labels of the share told right: its chance is 1 / n_labels."""
        return float(np.diag(self.confusion).mean())

    @property
    def chance(self) -> float:
        """Balanced accuracy of guessing."""
        return 1 / self.labels.size

    @property
    def confusion(self) -> np.ndarray:
        """Share of the trials of each label (row) told as each label (column)."""
        counts = np.zeros((self.labels.size,) * 2)
        rows = np.searchsorted(self.labels, self.true)
        np.add.at(counts, (rows, np.searchsorted(self.labels, self.predicted)), 1)
        return counts / counts.sum(axis=1, keepdims=True)

    def __repr__(self) -> str:
        """One line: accuracy, chance, trials, split."""
        p = "" if np.isnan(self.p_value) else f", p = {self.p_value:.3g}"
        return (
            f"Decoding by {self.split}: {self.balanced_accuracy:.3f} of {self.true.size} "
            f"trials right, {self.chance:.3f} by chance{p}"
        )


def image_blocks(stimulus_presentations: pd.DataFrame, label: str = "image_name") -> np.ndarray:
    """Count the runs of one and the same image.

    Parameters
    ----------
    stimulus_presentations : DataFrame
        In the order of presentation; omissions belong to the run around them.
    label : str
        Column that names the image.

    Returns
    -------
    array of int, shape (n_presentations,)
        0 for the first run.

    Examples
    --------
    >>> import pandas as pd
    >>> image_blocks(pd.DataFrame({"image_name": ["a", "omitted", "a", "b", "a"],
    ...                            "omitted": [False, True, False, False, False]}))
    array([0, 0, 0, 1, 2])
    """
    if label not in stimulus_presentations:
        raise unknown_name("column", label, map(str, stimulus_presentations.columns))
    names = stimulus_presentations[label].astype(object)
    if "omitted" in stimulus_presentations:
        omitted = stimulus_presentations["omitted"].astype("boolean").fillna(value=False)
        names = names.mask(omitted.to_numpy(dtype=bool)).ffill().bfill()
    values = names.to_numpy()
    return np.cumsum(np.r_[False, values[1:] != values[:-1]])[: values.size]


def decode(
    responses: np.ndarray,
    labels: np.ndarray,
    blocks: np.ndarray | None = None,
    *,
    split: Split = "block",
    n_folds: int = 5,
    classifier: Any = None,
    number_of_shuffles: int = 0,
    seed: int = 0,
) -> Decoding:
    """Decode what was shown from the responses of all cells.

    Parameters
    ----------
    responses : array, shape (n_cells, n_trials)
        Mean responses; trials with NaN are left out.
    labels : array, shape (n_trials,)
        What was shown.
    blocks : array, shape (n_trials,), optional
        Which trials belong together: `image_blocks`. Needed for split "block".
    split : str
        "block": all trials of a block are in one fold. "random": trials by themselves, which
        leaks (see Warns).
    n_folds : int
        Number of folds; fewer where a label has fewer blocks.
    classifier : scikit-learn classifier, optional
        Fitted in each fold to the training trials; a linear support vector machine on
        standardised responses when not given.
    number_of_shuffles : int
        Decodings with exchanged labels, for the p-value.
    seed : int
        For folds and shuffles.

    Returns
    -------
    Decoding
        Accuracy, chance, confusion.

    Warns
    -----
    LeakWarning
        With split "random": flashes of one block share adaptation, drift and slow noise, so
        that cells without any tuning are decoded above chance.

    Raises
    ------
    InputError
        Shapes that do not fit, one label only, a label with one block only, or no blocks.
    UnsupportedError
        scikit-learn is not installed.
    """
    if split not in get_args(Split):
        raise unknown_name("split", str(split), get_args(Split))
    x, names, groups, notes = _trials(responses, labels, blocks, split)
    if split == "random":
        msg = (
            "a random split of repeated flashes leaks: untuned cells decode above chance; "
            "give blocks and split='block'"
        )
        warnings.warn(msg, LeakWarning, stacklevel=2)
    n_folds = min(n_folds, _fewest(names, groups, split))
    fold = _folds(names, groups, n_folds, split, seed)
    predicted = _predict(x, names, fold, classifier)
    found = Decoding(
        labels=np.unique(names), true=names, predicted=predicted, fold=fold, split=split,
        notes=notes,
    )  # fmt: skip
    if not number_of_shuffles:
        return found
    rng = np.random.default_rng(seed)
    as_good = 0
    for _ in range(number_of_shuffles):
        other = _exchanged(names, groups, rng)
        where = _folds(other, groups, n_folds, split, seed)
        told = _predict(x, other, where, classifier)
        null = attrs.evolve(found, true=other, predicted=told, fold=where)
        as_good += null.balanced_accuracy >= found.balanced_accuracy
    return attrs.evolve(found, p_value=(1 + as_good) / (1 + number_of_shuffles))


def _trials(
    responses: np.ndarray, labels: np.ndarray, blocks: np.ndarray | None, split: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    x = np.asarray(responses, dtype=float)
    names = np.asarray(labels)
    groups = (
        np.arange(names.size) if blocks is None or split == "random" else np.asarray(blocks)
    )
    if x.ndim != 2 or names.shape != x.shape[1:] or groups.shape != names.shape:
        msg = (
            "expected responses (n_cells, n_trials) with one label and one block for each "
            f"trial, got {x.shape}, {names.shape}, {groups.shape}"
        )
        raise InputError(msg)
    if split == "block" and blocks is None:
        msg = "split='block' needs blocks: image_blocks(stimulus_presentations) numbers them"
        raise InputError(msg)
    known = np.isfinite(x).all(axis=0)
    if not (known.any() and x.shape[0]):
        msg = f"no trial has a response of every cell ({x.shape[0]} cells, {x.shape[1]} trials)"
        raise InputError(msg)
    left = int((~known).sum())
    notes = (f"{left} trials without a response of every cell were left out",) if left else ()
    return x[:, known].T, names[known], groups[known], notes


def _fewest(names: np.ndarray, groups: np.ndarray, split: str) -> int:
    """Blocks of the label that has fewest."""
    kinds = np.unique(names)
    if kinds.size < 2:
        msg = f"decoding needs two labels, got {kinds.tolist()}"
        raise InputError(msg)
    counts = [np.unique(groups[names == kind]).size for kind in kinds]
    if min(counts) < 2:
        unit = "block" if split == "block" else "trial"
        alone = kinds[np.argmin(counts)].item()
        msg = f"label {alone!r} has one {unit} only; a test needs another"
        raise InputError(msg)
    return min(counts)


def _folds(
    names: np.ndarray, groups: np.ndarray, n_folds: int, split: str, seed: int
) -> np.ndarray:
    selection = _scikit_learn("model_selection")
    options = {"n_splits": n_folds, "shuffle": True, "random_state": seed}
    if split == "block":
        parts = selection.StratifiedGroupKFold(**options).split(groups, names, groups)
    else:
        parts = selection.StratifiedKFold(**options).split(names, names)
    fold = np.empty(names.size, dtype=int)
    for k, (_, test) in enumerate(parts):
        fold[test] = k
    return fold


def _predict(x: np.ndarray, names: np.ndarray, fold: np.ndarray, classifier: Any) -> np.ndarray:
    base = _scikit_learn("base")
    if classifier is None:
        pipeline, svm = _scikit_learn("pipeline"), _scikit_learn("svm")
        scaler = _scikit_learn("preprocessing").StandardScaler()
        classifier = pipeline.make_pipeline(scaler, svm.SVC(kernel="linear"))
    predicted = np.empty_like(names)
    for k in np.unique(fold):
        test = fold == k
        fitted = base.clone(classifier).fit(x[~test], names[~test])
        predicted[test] = fitted.predict(x[test])
    return predicted


def _exchanged(names: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exchange the labels of whole blocks."""
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    return rng.permutation(names[first])[member]


def _scikit_learn(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{module}")
    except ImportError as error:
        msg = "decoding needs scikit-learn; install it with: pip install cleo_like[atlas]"
        raise UnsupportedError(msg) from error
