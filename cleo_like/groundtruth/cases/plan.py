"""A cases file (TOML) as a list of cases."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.core.provenance import hash_of, to_json
from cleo_like.groundtruth.cases import calcium_factors, factors
from cleo_like.groundtruth.cases.design import Design, full, screening

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIZES = ("quick", "full", "calcium_quick", "calcium_full")
"""Cases files that come with the package."""
PATCH, CALCIUM = "patch", "calcium"
_FACTORS = {PATCH: factors.FACTORS, CALCIUM: calcium_factors.FACTORS}
_RIG = {PATCH: factors.RIG, CALCIUM: calcium_factors.RIG}
_TOP = ("title", "modality", "seed", "seeds", "block")
_BLOCK = ("name", "design", "runs", "seeds", "conditions", "factors", "fixed", "together")


@attrs.frozen(kw_only=True)
class Case:
    """One recording that is to be made.

    Parameters
    ----------
    block : str
        Part of the cases file it belongs to.
    factors : mapping
        A value for every factor.
    seed : int
        Number of the repeat, 0, 1, ...
    root : int
        Seed of the whole study.
    modality : str
        "patch" or "calcium".
    """

    block: str
    factors: Mapping[str, str | float]
    seed: int
    root: int
    modality: str = PATCH

    @property
    def key(self) -> str:
        """Hash of all that makes the recording; the name of its files."""
        return _digest({**self.factors, "seed": self.seed, "root": self.root})

    @property
    def cell_key(self) -> str:
        """Hash of what makes the cell's own potential: cases that share it share a run."""
        own = {k: v for k, v in self.factors.items() if k not in _RIG[self.modality]}
        return _digest({**own, "root": self.root})

    @property
    def cell(self) -> str:
        """Name of a patched cell, unique in a study."""
        return f"{self.factors['cell']}-{int(self.number('member'))}"

    def number(self, name: str) -> float:
        """Give a factor that is a number."""
        return float(self.factors[name])


@attrs.frozen(kw_only=True, eq=False)
class Block:
    """Cases that belong together.

    Parameters
    ----------
    name : str
        Its name.
    cases : tuple of Case
        Runs times seeds.
    conditions : tuple of str
        Factors whose combinations are reported apart; empty: each varied factor by itself.
    varied : mapping of str to tuple
        Levels of the factors that differ.
    design : Design
        How the runs were chosen.
    """

    name: str
    cases: tuple[Case, ...]
    conditions: tuple[str, ...]
    varied: Mapping[str, tuple[Any, ...]]
    design: Design

    def stated(self) -> str:
        """Say how the runs were chosen."""
        runs, seeds = len(self.design.runs), len({c.seed for c in self.cases})
        head = f"{self.name}: {runs} runs x {seeds} seeds"
        if self.conditions:
            return f"{head}, all combinations"
        return (
            f"{head}, main effects of {len(self.varied)} factors, D-efficiency "
            f"{self.design.efficiency:.2f}"
        )


@attrs.frozen(kw_only=True, eq=False)
class Plan:
    """All cases of a study.

    Parameters
    ----------
    title : str
        For the report.
    blocks : tuple of Block
        In the order of the file.
    text : str
        The file itself.
    modality : str
        "patch" or "calcium".
    """

    title: str
    blocks: tuple[Block, ...]
    text: str
    modality: str = PATCH

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases; one that two blocks have is there twice and run once."""
        return tuple(case for block in self.blocks for case in block.cases)

    def only(self, names: Sequence[str]) -> Plan:
        """Give the same plan with some of its blocks.

        Parameters
        ----------
        names : sequence of str
            Of blocks.

        Raises
        ------
        UnknownNameError
            A block that there is none of.
        """
        known = [b.name for b in self.blocks]
        for name in names:
            if name not in known:
                raise unknown_name(f"block of {self.title!r}", name, known)
        blocks = tuple(b for b in self.blocks if b.name in names)
        return attrs.evolve(self, blocks=blocks)

    def __repr__(self) -> str:
        """One line."""
        return f"Plan {self.title!r}: {len(self.cases)} recordings in {len(self.blocks)} blocks"


def load_cases(source: str | Path) -> Plan:
    """Read a cases file.

    Parameters
    ----------
    source : str or Path
        "quick", "full", "calcium_quick", "calcium_full", or the path of a TOML file.

    Returns
    -------
    Plan
        The same for the same file, on every machine.

    Raises
    ------
    FileFormatError
        It is not there or no TOML.
    UnknownNameError
        A key or a factor that there is none of.
    InputError
        A value that makes no sense.

    Examples
    --------
    >>> load_cases("quick").blocks[0].name
    'noise'
    """
    path = Path(source)
    if str(source) in SIZES:
        path = Path(__file__).with_name(f"{source}.toml")
    if not path.is_file():
        msg = f"there is no cases file {source}; give a TOML file, or one of {', '.join(SIZES)}"
        raise FileFormatError(msg)
    return parse_cases(path.read_text("utf-8"))


def parse_cases(text: str) -> Plan:
    """Make a plan of the text of a cases file (see `load_cases`).

    Parameters
    ----------
    text : str
        TOML.

    Returns
    -------
    Plan
        Its cases.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"the cases file is no TOML: {error}"
        raise FileFormatError(msg) from error
    _known(given, _TOP, "the cases file")
    modality = given.get("modality", PATCH)
    if modality not in _FACTORS:
        known = " or ".join(f'"{name}"' for name in _FACTORS)
        raise InputError(f"modality = {modality!r} is not served; write modality = {known}")
    blocks = given.get("block", [])
    if not isinstance(blocks, list) or not blocks:
        msg = "the cases file has no [[block]]"
        raise InputError(msg)
    root = _count(given, "seed", 1, 0)
    seeds = _count(given, "seeds", 2, 1)
    made = tuple(_block(one, k, root, seeds, modality) for k, one in enumerate(blocks))
    names = [b.name for b in made]
    if len(set(names)) < len(names):
        msg = f"two blocks have the same name: {', '.join(names)}"
        raise InputError(msg)
    title = str(given.get("title", "Ground truth"))
    return Plan(title=title, blocks=made, text=text, modality=modality)


def _known(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    for name in given:
        if name not in names:
            raise unknown_name(f"key in {where}", name, names)


def _count(given: Mapping[str, Any], name: str, default: int, least: int) -> int:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        msg = f"{name} must be a whole number of {least} or more, got {value!r}"
        raise InputError(msg)
    return value


def _block(given: Mapping[str, Any], k: int, root: int, seeds: int, modality: str) -> Block:
    name = str(given.get("name", f"block {k + 1}"))
    where = f"block {name!r}"
    _known(given, _BLOCK, where)
    known = _FACTORS[modality]
    fixed = factors.defaults(known) | factors.checked(given.get("fixed", {}), where, known)
    varied = _varied(given.get("factors", {}), where, known)
    groups = _groups(given.get("together", []), where, known)
    options = [[{n: v} for v in values] for n, values in varied.items()] + groups
    levels = [len(o) for o in options]
    kind = given.get("design", "full")
    if kind not in {"full", "screening"}:
        raise unknown_name(f"design in {where}", str(kind), ("full", "screening"))
    if kind == "full":
        design = full(levels)
    else:
        design = screening(levels, _count(given, "runs", 0, 1), seed=root)
    for group in groups:
        for entry in group:
            for n, value in entry.items():
                varied[n] = tuple(dict.fromkeys((*varied.get(n, ()), value)))
    conditions = tuple(given.get("conditions", ()))
    _known(dict.fromkeys(conditions), list(varied), f"conditions of {where}")
    if kind == "full" and not conditions:
        conditions = tuple(n for n in varied if n not in {"cell", "member"})
    cases = []
    for run in design.runs:
        chosen = dict(fixed)
        for option, level in zip(options, run, strict=True):
            chosen |= option[level]
        cases += [
            Case(block=name, factors=chosen, seed=s, root=root, modality=modality)
            for s in range(_count(given, "seeds", seeds, 1))
        ]
    return Block(
        name=name, cases=tuple(cases), conditions=conditions, varied=varied, design=design
    )


def _varied(
    given: Mapping[str, Any], where: str, known: Mapping[str, factors.Factor]
) -> dict[str, tuple[Any, ...]]:
    out = {}
    for name, values in given.items():
        if not isinstance(values, list) or not values:
            msg = f"{name} in {where} needs a list of levels, for example {name} = [0, 1]"
            if name in known:
                raise InputError(msg)
        listed = values if isinstance(values, list) else [values]
        out[name] = tuple(factors.checked({name: v}, where, known)[name] for v in listed)
    return out


def _groups(
    given: Any, where: str, known: Mapping[str, factors.Factor]
) -> list[list[dict[str, Any]]]:
    """Read factors that change together: one list of tables is one factor."""
    if not given:
        return []
    if not isinstance(given, list) or not all(isinstance(t, dict) for t in given):
        msg = f"together in {where} is a list of tables: [{{rate = 50, filter = 10}}, ...]"
        raise InputError(msg)
    return [[factors.checked(t, where, known) for t in given]]


def _digest(values: Mapping[str, Any]) -> str:
    return hash_of(to_json(dict(sorted(values.items()))).encode()).split(":")[-1][:16]
