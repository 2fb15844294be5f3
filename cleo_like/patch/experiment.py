"""Several protocols to each cell, as an experiment runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.protocol import Protocol
from cleo_like.core.provenance import Provenance
from cleo_like.core.recording import Recording, join_recordings
from cleo_like.patch.recording_run import has_test_pulse, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core.units import Quantity
    from cleo_like.patch.backends.choose import Backend
    from cleo_like.patch.names import Cells, Rig


def experiment(  # noqa: PLR0913  # as many as an experiment has settings
    cells: Cells,
    protocols: Sequence[Protocol],
    rig: Rig | Sequence[Rig] | None = None,
    *,
    pause: Quantity = "1 s",
    seed: int | None = None,
    backend: Backend = "auto",
    threads: int | None = None,
    sequential: bool = False,
    dt: Quantity | None = None,
    keep_voltage: bool = False,
    membrane_test: bool = False,
    memory: float = 512e6,
    progress: bool | None = None,
) -> list[Recording]:
    """Play several protocols to each cell, one after the other.

    Parameters
    ----------
    cells : str, CellModel, Population, or a sequence of these
        What to record from; a text is the name of a library cell.
    protocols : sequence of Protocol
        In the order in which they are played; rate, length and clamp mode are each one's own.
        Every protocol starts from the cell's rest at its holding.
    rig : IdealElectrode, PatchPipette or str, optional
        As `record`'s `electrode`; the name of a rig ("multiclamp_700b") clamps what each
        protocol commands. A list has one for each protocol.
    pause : quantity
        Between two protocols.
    seed : int, optional
        Of all noise; each protocol draws its own from it, which the provenance keeps.
    backend, threads, sequential, dt, keep_voltage, membrane_test, memory, progress
        As in `record`; `membrane_test` measures the protocols that have a
        test pulse; one must.

    Returns
    -------
    list of Recording
        One per cell with the sweeps of all protocols: ``recording["ramp"]`` is the recording
        of one, `Recording.by_protocol` gives all. `write` puts the whole into one NWB file,
        `write_simulated` also an ABF file for each protocol.

    Raises
    ------
    InputError
        No protocol is given, or something that is none.

    Examples
    --------
    >>> from cleo_like import long_square, ramp
    >>> steps = long_square(["-20 pA", "20 pA"], duration="50 ms", before="10 ms",
    ...                     after="10 ms", rate="20 kHz")
    >>> slope = ramp(duration="100 ms", before="10 ms", after="10 ms", rate="10 kHz")
    >>> (cell,) = experiment("passive", [steps, slope], seed=1)
    >>> len(cell), list(cell.by_protocol()), cell["ramp"][0].rate
    (3, ['long_square', 'ramp'], 10000.0)
    """
    played = _checked(protocols)
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    seeds = np.random.SeedSequence(whole_number("seed", 0)(seed)).generate_state(len(played))
    rigs: list[Any] = list(rig) if isinstance(rig, (list, tuple)) else [rig] * len(played)
    if len(rigs) != len(played):
        msg = f"rig must be one, or one for each of {len(played)} protocols, got {len(rigs)}"
        raise InputError(msg)
    none_has = not any(map(has_test_pulse, played))  # `record` says so
    by_protocol = [
        record(
            cells, protocol, electrode=through, seed=int(own), backend=backend, threads=threads,
            sequential=sequential, dt=dt, keep_voltage=keep_voltage,
            membrane_test=membrane_test and (has_test_pulse(protocol) or none_has),
            memory=memory, progress=progress,
        )
        for protocol, through, own in zip(played, rigs, seeds, strict=True)
    ]  # fmt: skip
    return [_of_cell(parts, pause, seed) for parts in zip(*by_protocol, strict=True)]


def _checked(protocols: Sequence[Protocol]) -> list[Protocol]:
    if isinstance(protocols, Protocol):
        return [protocols]
    listed: list[Any] = list(protocols) if isinstance(protocols, (list, tuple)) else [protocols]
    for one in listed:
        if not isinstance(one, Protocol):
            msg = (
                "protocols must be a list of Protocol (parse_protocol makes one of text), got "
                f"{type(one).__name__}: {one!r:.60}"
            )
            raise InputError(msg)
    if not listed:
        msg = "there is no protocol to play: give a list of them, [long_square(...), ramp()]"
        raise InputError(msg)
    return listed


def _of_cell(parts: tuple[Recording, ...], pause: Quantity, seed: int) -> Recording:
    """Join what one cell answered, with the seed of the whole."""
    # when a part was computed is not when it was played
    begun = parts[0].session_start
    whole = join_recordings([attrs.evolve(p, session_start=begun) for p in parts], pause=pause)
    own = whole.provenance
    parameters = {"cell": whole.cell.id, "protocols": own.parameters["parts"]}
    made = Provenance(
        source="simulation", software=own.software, parameters=parameters, seed=seed,
        created=own.created,
    )  # fmt: skip
    return attrs.evolve(whole, provenance=made)
