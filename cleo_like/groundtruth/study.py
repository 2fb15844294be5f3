"""A study: cases run, extractors asked, answers scored; what is there is not done again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.core.files import atomic_path, check_folder
from cleo_like.groundtruth.calcium import run as calcium
from cleo_like.groundtruth.calcium.methods import calcium_method_of
from cleo_like.groundtruth.calcium.results import CalciumStudy, score_calcium
from cleo_like.groundtruth.cases.chain import recorded, run_cell
from cleo_like.groundtruth.cases.plan import CALCIUM, PATCH, Case, Plan, load_cases, parse_cases
from cleo_like.groundtruth.extractors.guard import Guard
from cleo_like.groundtruth.extractors.method import OWN, Method, method_named, method_of
from cleo_like.groundtruth.results import Study, score_study
from cleo_like.groundtruth.store import CASES, Store
from cleo_like.groundtruth.truth.exact import clean_stack, truth_of
from cleo_like.utilities.brian import import_brian2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.features.stack import SweepStack
    from cleo_like.groundtruth.truth.exact import Truth

_SIMULATING = threading.Lock()
"""Brian2 keeps its state in its modules: one thread of a process simulates at a time."""


def run_study(
    cases: str | Path | Plan = "quick",
    extractors: Sequence[Any] = OWN,
    *,
    folder: str | Path = "groundtruth",
    executor: Any = None,
    progress: bool = True,
) -> Study | CalciumStudy:
    """Run cases, ask extractors, score them.

    Every recording, truth and answer is a file named by the hash of what made it: a killed
    run goes on where it was, a new extractor is the only one that runs.

    Parameters
    ----------
    cases : str, Path or Plan
        "quick", "full", "calcium_quick", "calcium_full" or a TOML file (see `load_cases`).
    extractors : sequence of str, Method or callable
        Names ("native", "compat", "ipfx", "efel", "efel_default", "gigaseal", entry points),
        methods (`command_method`), or functions of the registry's kind; for calcium, of
        `calcium.methods`.
    folder : str or Path
        Where everything is kept.
    executor : concurrent.futures.Executor, optional
        Where to run instead of this process: a pool, or ``client.get_executor()`` of Dask
        that sees the same folder.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Study or CalciumStudy
        Tables; also written as CSV into the folder.

    Raises
    ------
    UnknownNameError
        An extractor that there is none of, before any work.
    """
    plan = cases if isinstance(cases, Plan) else load_cases(cases)
    methods = [method_for(one, plan.modality) for one in extractors]
    names = [m.name for m in methods]
    if len(set(names)) < len(names):
        msg = f"two extractors have the same name: {', '.join(names)}"
        raise InputError(msg)
    check_folder(folder)
    store = Store(Path(folder))
    with atomic_path(store.folder / CASES) as path:
        path.write_text(plan.text, "utf-8")
    groups: dict[str, list[Case]] = {}
    for case in {c.key: c for c in plan.cases}.values():
        groups.setdefault(case.cell_key, []).append(case)
    todo = [g for g in groups.values() if _pending(store, g, methods)]
    _run_all(store, todo, methods, executor, len(groups), progress=progress)
    study = results_of(plan, methods, folder)
    study.write(store.folder)
    return study


def results_of(
    plan: Plan, methods: Sequence[Method], folder: str | Path
) -> Study | CalciumStudy:
    """Score what a folder holds; what is missing is left out.

    Parameters
    ----------
    plan : Plan
        Cases.
    methods : sequence of Method
        Extractors, or methods of spike inference.
    folder : str or Path
        Of `run_study`.

    Returns
    -------
    Study or CalciumStudy
        All tables.
    """
    if plan.modality == CALCIUM:
        return score_calcium(plan, methods, folder)
    return score_study(plan, methods, folder)


def method_for(extractor: Any, modality: str = PATCH) -> Method:
    """Give the method that is meant by a name, a function, or a method itself."""
    return calcium_method_of(extractor) if modality == CALCIUM else method_of(extractor)


def _run_all(
    store: Store, todo: list[list[Case]], methods: list[Method], executor: Any, total: int,
    *, progress: bool,
) -> None:  # fmt: skip
    from tqdm import tqdm

    with tqdm(total=total, disable=not progress, unit="cell", desc="ground truth") as bar:
        bar.update(total - len(todo))
        if executor is None:
            guards = {m.name: Guard(m) for m in methods}
            try:
                for group in todo:
                    run_group(store, group, methods, guards)
                    bar.update(1)
            finally:
                for guard in guards.values():
                    guard.close()
            return
        flying = [executor.submit(run_group, store, group, methods) for group in todo]
        for future in flying:
            future.result()
            bar.update(1)


def run_group(
    store: Store,
    group: list[Case],
    methods: list[Method],
    guards: dict[str, Guard] | None = None,
) -> int:
    """Make what is missing of the cases of one cell run; give the number of files made.

    Parameters
    ----------
    store : Store
        Where.
    group : list of Case
        Of the same `Case.cell_key`.
    methods : list of Method
        Extractors.
    guards : mapping, optional
        Running processes of the extractors, kept from group to group.
    """
    imaging = group[0].modality == CALCIUM
    with _SIMULATING:
        import_brian2()
        made = calcium.make(store, group) if imaging else _make(store, group)
    own = guards if guards is not None else {m.name: Guard(m) for m in methods}
    ask = calcium.ask if imaging else _ask
    try:
        for case in group:
            made += ask(store, case, methods, own)
    finally:
        if guards is None:
            for guard in own.values():
                guard.close()
    return made


def _make(store: Store, group: list[Case]) -> int:
    missing = [c for c in group if not store.has(c)]
    if not missing:
        return 0
    run, finest = run_cell(missing[0]), None
    truths: dict[float, Truth] = {}  # one a rate: the rest of the rig does not change it
    for case in missing:
        rate = case.number("rate")
        finest = truths[rate] if rate in truths else truth_of(case, run, finest)
        truths[rate] = finest
        store.write_truth(case, finest)
        store.write_clean(case, clean_stack(run, case.number("rate") * 1e3))
        store.write_recording(case, recorded(case, run))  # last: it says all are there
    return 3 * len(missing)


def _ask(store: Store, case: Case, methods: list[Method], guards: dict[str, Guard]) -> int:
    made = 0
    stack: SweepStack | None = None
    for method in methods:
        if store.outcome_file(method.key, case.key).is_file():
            continue
        stack = store.recording(case) if stack is None else stack
        truth = store.truth(case)
        found = guards[method.name].ask(stack, truth.window, truth=truth)
        store.write_outcome(method.key, case.key, found)
        made += 1
    for method in _references(methods):
        name = store.clean_file(case).stem
        if not store.outcome_file(method.key, name).is_file():
            guard = guards.setdefault(method.name, Guard(method))
            found = guard.ask(store.clean(case), store.truth(case).window)
            store.write_outcome(method.key, name, found)
            made += 1
    return made


def _references(methods: list[Method]) -> list[Method]:
    """Extractors that apply to a clean trace the definitions that are not the native ones."""
    own = {m.name: m for m in methods}
    named = [m.reference or m.name for m in methods if m.definitions]
    return [own.get(n) or method_named(n) for n in dict.fromkeys(named)]


def _pending(store: Store, group: list[Case], methods: list[Method]) -> bool:
    if group[0].modality == CALCIUM:
        return any(calcium.pending(store, case, methods) for case in group)
    for case in group:
        if not store.has(case):
            return True
        files = [store.outcome_file(m.key, case.key) for m in methods]
        stem = store.clean_file(case).stem
        files += [store.outcome_file(m.key, stem) for m in _references(methods)]
        if not all(f.is_file() for f in files):
            return True
    return False


def plan_of(folder: str | Path) -> Plan:
    """Give the cases of a study's folder.

    Parameters
    ----------
    folder : str or Path
        Of `run_study`.

    Returns
    -------
    Plan
        As they were run.

    Raises
    ------
    FileFormatError
        There is no study; the message says how to run one.
    """
    path = Path(folder) / CASES
    if not path.is_file():
        msg = f"{folder} holds no study; cleo-like groundtruth run --folder {folder} makes one"
        raise FileFormatError(msg)
    return parse_cases(path.read_text("utf-8"))
