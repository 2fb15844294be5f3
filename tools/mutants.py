"""Mutation testing on a stated sample: tell which changed lines the tests notice.

Mutants come from Cosmic Ray's operators. A sample of lines, drawn with a seed, is spread over
the rooms by their size; each mutant meets the tests that run its line, the most specific
first, until one fails. It needs the coverage of one run of the suite, test by test::

    python -m pytest -n 2 -m "not slow" --cov --cov-context=test --cov-report=
    python tools/mutants.py --sample 200 --seed 1

*killed*: a test failed. *timeout*: the tests did not end (an endless loop, say), which people
notice. *survived*: all these tests passed. *no test*: no test runs the line.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import parso
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from coverage import CoverageData
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("core", "io", "matching", "features", "qc", "cells")
# Of Cosmic Ray's 130 operators those that a slip of thought or hand would make; the others
# (a bit shift for a plus) nearly always end in a TypeError, which any test notices.
SWAPS = {
    "ReplaceBinaryOperator": "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Pow_Mul",
    "ReplaceComparisonOperator": "Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt "
    "Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is",
    "ReplaceUnaryOperator": "Delete_USub Delete_Not",
}
OPERATORS = (
    *(f"core/{kind}_{swap}" for kind, swaps in SWAPS.items() for swap in swaps.split()),
    "core/AddNot",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceContinueWithBreak",
    "core/ReplaceBreakWithContinue",
    "core/NumberReplacer",
)
# A line that hundreds of tests run is met by the most specific of them and the frozen answers.
MOST_TESTS = 40
_LARGE = 1e6
FROZEN = "tests/frozen/"
RECORDS = "tests/house/test_records.py"


@dataclass(frozen=True)
class Mutant:
    """One place where one operator changes the code."""

    path: str
    line: int
    operator: str
    occurrence: int

    def code(self) -> str:
        """Return the module with the change."""
        source = (ROOT / self.path).read_text("utf-8")
        mutated = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        if mutated is None:
            raise LookupError(f"{self} changes nothing: the module is not the one sampled")
        return str(mutated)

    def shown(self) -> str:
        """Show the changed line, before and after."""
        before = (ROOT / self.path).read_text("utf-8").splitlines()
        after = self.code().splitlines()
        changed = next((a for b, a in zip(before, after, strict=False) if a != b), "")
        was = before[self.line - 1].strip()
        return f"{self.path}:{self.line}\n  - {was}\n  + {changed.strip()}"


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of one module that a run could tell from the original."""
    source = path.read_text("utf-8")
    unseen, nodes = _unseen_lines(source), [*_walk(parso.parse(source))]
    for name in OPERATORS:
        operator = get_operator(name)()
        places = ((n, p) for n in nodes for p in operator.mutation_positions(n))
        for occurrence, (node, ((line, _), _)) in enumerate(places):
            if not (line in unseen or _annotates(node) or _marks(node) or _is_large(node)):
                yield Mutant(str(path.relative_to(ROOT)), line, name, occurrence)


def drawn(sample: int, seed: int) -> list[Mutant]:
    """Draw lines, every one as likely as any other, and one mutant of each."""
    of_line: dict[tuple[str, int], list[Mutant]] = {}
    for room in ROOMS:
        for path in sorted((ROOT / "cleo_like" / room).rglob("*.py")):
            for mutant in mutants_of(path):
                of_line.setdefault((mutant.path, mutant.line), []).append(mutant)
    rng = random.Random(seed)
    lines = rng.sample(sorted(of_line), min(sample, len(of_line)))
    return [rng.choice(of_line[line]) for line in lines]


class TestsOfLines:
    """Which tests run which line, from coverage with one context per test."""

    def __init__(self, coverage: Path) -> None:
        self._data = CoverageData(basename=str(coverage))
        self._data.read()
        self._size: Counter[str] = Counter()
        self._of_module: dict[str, dict[int, set[str]]] = {}
        for file in self._data.measured_files():
            lines = {
                line: {c.split("|")[0] for c in contexts if c}
                for line, contexts in self._data.contexts_by_lineno(file).items()
            }
            self._of_module[file] = lines
            for tests in lines.values():
                self._size.update(tests)

    def __call__(self, mutant: Mutant) -> list[str]:
        """Find the tests of the line, those that run few lines first, frozen answers last.

        What runs at import (a constant, a decorator) has no test of its own: all tests of the
        module, and the one that looks at all classes without running a line of theirs.
        """
        lines = self._of_module.get(str(ROOT / mutant.path), {})
        own = lines.get(mutant.line)
        tests = own or {RECORDS}.union(*lines.values())
        found = sorted(tests, key=lambda test: (self._size[test], test))
        return [
            *[test for test in found if not test.startswith(FROZEN)][
                : MOST_TESTS if own else None
            ],
            *[test for test in found if test.startswith(FROZEN)],
        ]


def verdict(mutant: Mutant, tests: list[str], tree: Path, limit: float) -> str:
    """Put the mutant into a copy of the tree and run its tests there."""
    if not tests:
        return "no test"
    target = tree / mutant.path
    original = target.read_text("utf-8")
    target.write_text(mutant.code(), "utf-8")
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    try:
        run = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    finally:
        target.write_text(original, "utf-8")
    return "survived" if run.returncode == 0 else "killed"


def run_all(mutants: list[Mutant], coverage: Path, jobs: int, limit: float) -> list[str]:
    """Verdicts of all mutants, in copies of the tree, so that the tree itself stays whole."""
    tests = TestsOfLines(coverage)
    with tempfile.TemporaryDirectory() as folder:
        free: Queue[Path] = Queue()
        for job in range(jobs):
            free.put(_copied(Path(folder) / str(job) / ROOT.name))

        def one(mutant: Mutant) -> str:
            tree = free.get()
            try:
                return verdict(mutant, tests(mutant), tree, limit)
            finally:
                free.put(tree)

        with ThreadPoolExecutor(jobs) as pool:
            return list(tqdm(pool.map(one, mutants), total=len(mutants), unit="mutant"))


def report(mutants: list[Mutant], verdicts: list[str]) -> None:
    """Print a table by room, then what survived."""
    rows: dict[str, Counter[str]] = {}
    for mutant, said in zip(mutants, verdicts, strict=True):
        rows.setdefault(mutant.path.split("/")[1], Counter())[said] += 1
    rows["all"] = sum(rows.values(), Counter())
    kinds = ("killed", "timeout", "survived", "no test")
    print("| room | mutants | " + " | ".join(kinds) + " | noticed |\n|---" + "|---" * 6 + "|")
    for room, counts in rows.items():
        noticed = (counts["killed"] + counts["timeout"]) / counts.total()
        cells = " | ".join(str(counts[kind]) for kind in kinds)
        print(f"| {room} | {counts.total()} | {cells} | {noticed:.0%} |")
    for mutant, said in zip(mutants, verdicts, strict=True):
        if said in ("survived", "no test"):
            print(f"\n{said}: {mutant.operator.removeprefix('core/')} {mutant.shown()}")


def _walk(node: Any) -> Iterator[Any]:
    """Every node, in the order in which Cosmic Ray counts occurrences."""
    yield node
    for child in getattr(node, "children", ()):
        yield from _walk(child)


def _annotates(node: Any) -> bool:
    """Tell whether a node belongs to an annotation (never evaluated here)."""
    while (parent := node.parent) is not None:
        if parent.type == "annassign" and node is parent.children[1]:
            return True
        if parent.type == "tfpdef" or (parent.type == "funcdef" and node is parent.annotation):
            return True
        node = parent
    return False


def _marks(node: Any) -> bool:
    """Tell whether a star is no product: in a signature, or before what is unpacked."""
    starred = ("parameters", "param", "argument", "star_expr")
    return node.type == "operator" and node.value in ("*", "**") and node.parent.type in starred


def _is_large(node: Any) -> bool:
    """Tell whether a number is so large that one more is rounding (1e12 pA in an ampere)."""
    return node.type == "number" and abs(ast.literal_eval(node.value)) > _LARGE


def _unseen_lines(source: str) -> set[int]:
    """Find lines that no run depends on, so that no test can notice their change.

    Type-checking blocks; the words of errors; ``strict=`` of ``zip``, which guards against
    callers that do not exist; how much a cache keeps.
    """
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for_checkers = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        guards = isinstance(node, ast.keyword) and node.arg in {"strict", "maxsize"}
        if for_checkers or guards or isinstance(node, ast.Raise):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def _copied(tree: Path) -> Path:
    """Copy what the tests need, with the data folder and the peers where they look."""
    tree.mkdir(parents=True)
    for name in ("cleo_like", "tests", "docs", "notebooks", "benchmarks", "tools"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tree)
    for name in (".venv", ".venv-peers"):
        if (ROOT / name).exists():
            (tree / name).symlink_to((ROOT / name).resolve())
    shared = ROOT.parent / "shared"
    if shared.exists():
        (tree.parent / "shared").symlink_to(shared.resolve())
    return tree


def main() -> None:
    """Draw, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sample", type=int, default=200, help="how many mutants (200)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=300, help="seconds per mutant (300)")
    parser.add_argument("--coverage", type=Path, default=ROOT / ".coverage")
    options = parser.parse_args()
    mutants = drawn(options.sample, options.seed)
    report(mutants, run_all(mutants, options.coverage, options.jobs, options.limit))


if __name__ == "__main__":
    main()
