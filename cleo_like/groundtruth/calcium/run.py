"""Make recordings of imaging cases and ask methods; what is there is not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.calcium.chain import Imaged, image
from cleo_like.groundtruth.calcium.known import Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.groundtruth.cases.plan import Case
    from cleo_like.groundtruth.extractors import Guard, Method
    from cleo_like.groundtruth.store import Store


def make(store: Store, group: list[Case]) -> int:
    """Make the recordings that are missing; give how many."""
    missing = [c for c in group if not store.recording_file(c).is_file()]
    for case in missing:
        made = image(case)
        store.write_arrays(store.recording_file(case), {
            "dff": made.dff.astype(np.float32), "frame_rate": made.frame_rate,
            "indicator": made.indicator, "counts": made.counts.astype(np.int32),
            "noise_sd": made.noise_sd, "extrapolated": made.extrapolated,
        })  # fmt: skip
    return len(missing)


def recording(store: Store, case: Case) -> Imaged:
    """Give a recording back."""
    with np.load(store.recording_file(case)) as z:
        return Imaged(
            dff=z["dff"].astype(float), frame_rate=float(z["frame_rate"]),
            indicator=str(z["indicator"]), counts=z["counts"], noise_sd=z["noise_sd"],
            extrapolated=bool(z["extrapolated"]),
        )  # fmt: skip


def ask(store: Store, case: Case, methods: list[Method], guards: Mapping[str, Guard]) -> int:
    """Ask the methods that have not answered; give how many."""
    made = 0
    truth: Any = None
    for method in methods:
        if store.outcome_file(method.key, case.key).is_file():
            continue
        truth = recording(store, case) if truth is None else truth
        known = Known.of(truth.indicator)
        found = guards[method.name].ask(truth.dff, truth.frame_rate, known, truth=truth)
        store.write_outcome(method.key, case.key, found)
        made += 1
    return made


def pending(store: Store, case: Case, methods: list[Method]) -> bool:
    """Whether anything of a case is missing."""
    files = [store.outcome_file(m.key, case.key) for m in methods]
    return not all(f.is_file() for f in (store.recording_file(case), *files))
