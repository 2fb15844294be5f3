"""The folder of a study: recordings, truths and outcomes, each file named by a hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.core.files import atomic_path
from cleo_like.core.window import Window
from cleo_like.features.lowpass import Lowpass, stated
from cleo_like.features.parameters import DEFINITIONS
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth.extractors.outcome import Outcome
from cleo_like.groundtruth.truth.exact import TRUTH, Truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleo_like.core import Recording
    from cleo_like.groundtruth.cases.plan import Case

CASES, EXTRACTORS = "cases.toml", "extractors.json"


@attrs.frozen
class Store:
    """Files of a study; each appears whole or not at all.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    """

    folder: Path = attrs.field(converter=Path)

    def recording_file(self, case: Case) -> Path:
        """Name the file of a recording."""
        return self.folder / "recordings" / f"{case.key}.npz"

    def clean_file(self, case: Case) -> Path:
        """Name the file of the noise-free potential; cases of one cell and rate share it."""
        return self.folder / "clean" / f"{case.cell_key}-{case.number('rate'):g}.npz"

    def truth_file(self, case: Case) -> Path:
        """Name the file of a truth; those of other definitions are made again."""
        return self.folder / "truth" / f"{case.key}-{DEFINITIONS}.{TRUTH}.json"

    def outcome_file(self, method_key: str, name: str) -> Path:
        """Name the file of an outcome; `name` is that of a recording or of a clean file."""
        return self.folder / "outcomes" / method_key / f"{name}.json"

    def has(self, case: Case) -> bool:
        """Whether recording, clean potential and truth are all there."""
        files = (self.recording_file(case), self.clean_file(case), self.truth_file(case))
        return all(f.is_file() for f in files)

    def write_recording(self, case: Case, recording: Recording) -> None:
        """Keep a recording as the codes of its converter, without loss."""
        step = case.number("adc") * 1e-3
        stacked = recording.stacked()
        codes = np.rint(stacked.response / step)
        with atomic_path(self.recording_file(case)) as path, path.open("wb") as file:
            np.savez_compressed(
                file, codes=codes.astype(np.int32), step=step * 1e3,
                current_pa=np.asarray(stacked.command) * 1e12, rate=stacked.rate,
                filtering=str(recording.device.get("filtering", "")),
            )  # fmt: skip

    def write_clean(self, case: Case, stack: SweepStack) -> None:
        """Keep a noise-free potential in single precision."""
        with atomic_path(self.clean_file(case)) as path, path.open("wb") as file:
            np.savez_compressed(
                file, voltage_mv=stack.voltage_mv.astype(np.float32),
                current_pa=stack.current_pa, rate=stack.rate,
            )  # fmt: skip

    def recording(self, case: Case) -> SweepStack:
        """Give a recording back."""
        with np.load(self.recording_file(case)) as z:
            return SweepStack(
                voltage_mv=z["codes"] * float(z["step"]), current_pa=z["current_pa"],
                rate=float(z["rate"]), lowpass=stated(str(z["filtering"])),
            )  # fmt: skip

    def clean(self, case: Case) -> SweepStack:
        """Give a noise-free potential back."""
        with np.load(self.clean_file(case)) as z:
            return SweepStack(
                voltage_mv=z["voltage_mv"].astype(float), current_pa=z["current_pa"],
                rate=float(z["rate"]), lowpass=Lowpass(np.inf),
            )  # fmt: skip

    def write_truth(self, case: Case, truth: Truth) -> None:
        """Keep a truth."""
        _write_json(self.truth_file(case), attrs.asdict(truth))

    def truth(self, case: Case) -> Truth:
        """Give a truth back."""
        found = _read_json(self.truth_file(case))
        window = found["window"]
        window["baseline"], window["pulses"] = None, ()
        found["times"] = _arrays(found["times"])
        for name in ("shapes", "sweeps"):
            found[name] = {ref: _arrays(columns) for ref, columns in found[name].items()}
        return Truth(**found | {"window": Window(**window)})

    def write_arrays(self, path: Path, arrays: Mapping[str, Any]) -> None:
        """Keep arrays under the name of a file of this folder."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    def write_tables(self, tables: Mapping[str, Any]) -> None:
        """Write data frames as CSV.

        CPU times are in ``costs.csv``; all other files are the same for the same seed.
        """
        tables, timed = dict(tables), tables.get("outcomes")
        if timed is not None and "cpu" in timed:
            tables["outcomes"] = timed.drop(columns="cpu")
            tables["costs"] = timed[["block", "condition", "extractor", "cpu"]]
        for name, table in tables.items():
            with atomic_path(self.folder / f"{name}.csv") as path:
                table.to_csv(path, index=False)

    def write_outcome(self, method_key: str, name: str, outcome: Outcome) -> None:
        """Keep what came of an extractor; traces lie beside it, in single precision."""
        path = self.outcome_file(method_key, name)
        if outcome.arrays:
            kept = {
                name: array.astype(np.float32) if array.ndim > 1 else array
                for name, array in outcome.arrays.items()
            }
            self.write_arrays(path.with_suffix(".npz"), kept)
        without = attrs.filters.exclude(attrs.fields(Outcome).arrays)
        _write_json(path, attrs.asdict(outcome, filter=without))

    def outcome(self, method_key: str, name: str) -> Outcome | None:
        """Give an outcome back; None where it is not there."""
        path = self.outcome_file(method_key, name)
        if not path.is_file():
            return None
        found = _read_json(path)
        for name_ in ("spikes", "sweeps"):
            found[name_] = _arrays(found[name_])
        beside = path.with_suffix(".npz")
        if beside.is_file():
            with np.load(beside) as z:
                found["arrays"] = {k: z[k].astype(float) for k in z.files}
        return Outcome(**found)


def _arrays(columns: dict[str, Any]) -> dict[str, np.ndarray]:
    out = {}
    for name, values in columns.items():
        array = np.asarray(values)
        out[name] = array if array.dtype.kind in "biufU" else array.astype(float)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    msg = f"cannot write {type(value).__name__}"
    raise TypeError(msg)


def _write_json(path: Path, value: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, default=_plain), "utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        msg = f"{path} is damaged ({error}); delete it and run the study again"
        raise FileFormatError(msg) from error
    return found
