"""What NWB has no field for, inside the NWB file: facts as JSON, picture, ground truth.

Two processing modules: ``cleo_like`` holds the facts by which a recording is put together
again; ``ground_truth`` what only a simulator knows, and says so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.source import hdf5
from cleo_like.io.targets import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import h5py
    from pynwb import NWBFile

    from cleo_like.core.recording import Recording
    from cleo_like.io.facts import Arrays

TRUTH = "ground_truth"
_TRUTH_TEXT = (
    "SIMULATION TRUTH, not a measurement: what the simulator knows about this recording "
    "(spike times, noise-free potential, parameters of the model)"
)


def add_facts(nwbfile: NWBFile, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Add the module of facts: a table of JSON texts, the picture, odd waveforms."""
    from hdmf.common import DynamicTable, VectorData
    from pynwb.base import Images, TimeSeries
    from pynwb.image import GrayscaleImage

    module = nwbfile.create_processing_module(
        FACTS, "Cell, protocol, provenance and findings as cleo_like keeps them (JSON)"
    )
    names, texts = zip(*_flat(facts), strict=True)
    columns = [
        VectorData(name="fact", description="Path of the fact", data=list(names)),
        VectorData(name="json", description="Its value as JSON, SI units", data=list(texts)),
    ]
    module.add(DynamicTable(name="facts", description="One fact a row", columns=columns))
    told = [facts.get("protocol"), *facts.get("protocols", [])]
    pictures = []
    for protocol, behind in zip(
        told, ["", *(f"_{k}" for k in range(len(told) - 1))], strict=True
    ):
        if f"picture{behind}" in arrays:
            pictures.append(GrayscaleImage(
                name=f"picture{behind}",
                data=np.asarray(arrays[f"picture{behind}"], dtype=float),
                description="Grey values 0..1 that the stimulus draws; a row is a sweep",
            ))  # fmt: skip
        if f"protocol_waveforms{behind}" in arrays:
            module.add(TimeSeries(
                name=f"protocol_waveforms{behind}",
                description="The protocol, a sweep a column; it was commanded otherwise",
                data=np.asarray(arrays[f"protocol_waveforms{behind}"], dtype=float).T,
                unit="amperes" if protocol["mode"] == "current_clamp" else "volts",
                rate=float(protocol["rate"]),
            ))  # fmt: skip
    if pictures:
        module.add(
            Images(name="pictures", description="Picture of the protocol", images=pictures)
        )


def add_truth(nwbfile: NWBFile, recording: Recording) -> None:
    """Add the module of ground truth, labelled as such."""
    from hdmf.common import DynamicTable, VectorData, VectorIndex
    from pynwb.base import TimeSeries

    truth = recording.truth
    if truth is None:
        return
    module = nwbfile.create_processing_module(TRUTH, _TRUTH_TEXT)
    times = VectorData(
        name="spike_times",
        description="Simulation truth: spikes (s) from the first sample of the sweep",
        data=np.concatenate([np.zeros(0), *truth.spike_times]),
    )
    ends = np.cumsum([len(t) for t in truth.spike_times], dtype=np.int64)
    columns = [
        VectorData(
            name="sweep_number",
            description="Number of the sweep",
            data=[s.number for s in recording.sweeps],
        ),
        times,
        VectorIndex(name="spike_times_index", target=times, data=ends),
    ]
    module.add(
        DynamicTable(
            name="spikes", description="Simulation truth: spike times", columns=columns
        )
    )
    voltages = truth.voltage if truth.voltage is not None else ()
    for index, (sweep, voltage) in enumerate(zip(recording.sweeps, voltages, strict=False)):
        series = TimeSeries(
            name=f"voltage_{index:04d}",
            description=f"Simulation truth: noise-free potential of sweep {sweep.number}",
            data=_packed(voltage),
            unit="volts",
            rate=float(sweep.rate),
            starting_time=float(sweep.start_time),
        )
        module.add(series)


def stored_facts(file: h5py.File) -> tuple[dict[str, Any], Arrays] | None:
    """Read what `add_facts` and `add_truth` wrote; None for files of other makers.

    Parameters
    ----------
    file : h5py.File
        An opened NWB file.

    Raises
    ------
    FileFormatError
        The module is there and cannot be read.
    """
    module = hdf5.optional(file, "processing", FACTS)
    table = hdf5.optional(module, "facts")
    if table is None:
        return None
    try:
        columns = [hdf5.member(table, name) for name in ("fact", "json")]
        for column in columns:
            hdf5.check_texts(column)
        names, texts = (column[:] for column in columns)
        facts = _nested(
            (hdf5.as_text(n), hdf5.as_text(t)) for n, t in zip(names, texts, strict=True)
        )
        arrays: Arrays = {}
        for behind in ("", *(f"_{k}" for k in range(len(facts.get("protocols", []))))):
            picture = hdf5.optional(module, "pictures", f"picture{behind}")
            if picture is not None:
                arrays[f"picture{behind}"] = np.asarray(picture[:])
            waveforms = hdf5.optional(module, f"protocol_waveforms{behind}", "data")
            if waveforms is not None:
                arrays[f"protocol_waveforms{behind}"] = np.asarray(waveforms[:]).T
        if facts.get("truth") is not None:
            _load_truth(hdf5.member(file, "processing", TRUTH), facts["truth"], arrays)
    except hdf5.READ_ERRORS as error:
        msg = f"the facts that cleo_like stored in this file are damaged ({error})"
        raise FileFormatError(msg) from error
    return facts, arrays


def _load_truth(module: h5py.Group, facts: dict[str, Any], arrays: Arrays) -> None:
    table = hdf5.member(module, "spikes")
    ends = [int(end) for end in hdf5.member(table, "spike_times_index")[:]]
    flat = np.asarray(hdf5.member(table, "spike_times")[:], dtype=float)
    facts["spike_times"] = np.split(flat, ends[:-1])
    if facts["has_voltage"]:
        for index in range(len(ends)):
            name = f"voltage_{index:04d}"
            arrays[f"truth_voltage_{index}"] = np.asarray(hdf5.member(module, name, "data")[:])


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, JSON) of every leaf; NWB wants no dictionaries inside a table cell.

    Members of a mapping become ``/name``, items of a list that holds mappings ``/[3]``.
    """
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}/{_escaped(str(key))}")
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}/[{index}]")
    elif value == {}:
        yield f"{path}/", "null"
    else:
        text = json.dumps(value, allow_nan=False)
        # the archive's inspector takes braces in a text for a dictionary; JSON can escape them
        yield path, text.replace("{", "\\u007b").replace("}", "\\u007d")


def _nested(rows: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Put together what `_flat` took apart."""
    root: dict[str, Any] = {}
    for path, text in rows:
        *parents, last = str(path).split("/")[1:]
        node = root
        for key in parents:
            node = node.setdefault(key, {})
        if last:
            node[last] = json.loads(text)
    return _with_lists(root)


def _with_lists(node: h5py.Group) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.startswith("[") for key in node):
        return [_with_lists(item) for item in node.values()]
    return {_unescaped(key): _with_lists(item) for key, item in node.items()}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1").replace("[", "~2") or "~3"


def _unescaped(key: str) -> str:
    plain = key.replace("~2", "[").replace("~1", "/").replace("~0", "~")
    return "" if key == "~3" else plain


def _packed(samples: np.ndarray) -> Any:
    from hdmf.backends.hdf5 import H5DataIO

    return H5DataIO(np.asarray(samples), compression="gzip", compression_opts=4, shuffle=True)
