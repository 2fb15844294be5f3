"""What came of a design: the ways that were tried, the report, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.units import si

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.core import Protocol
    from cleo_like.core.units import Quantity
    from cleo_like.planning.fidelity import Fidelity
    from cleo_like.planning.response import LinearResponse


@attrs.frozen(kw_only=True, eq=False)
class Way:
    """One candidate: its current on the padded grid, and how it is predicted to do."""

    name: str
    detail: str
    cutoff: float | None
    current: np.ndarray
    predicted: list[Fidelity]

    @property
    def score(self) -> float:
        """Mean of r and SSIM; of several cells, its 5th percentile."""
        values = [score(f) for f in self.predicted]
        return float(np.percentile(values, 5)) if len(values) > 1 else values[0]

    @property
    def peak(self) -> float:
        """Largest current around holding (A)."""
        return float(np.abs(self.current).max())


def score(found: Fidelity) -> float:
    """Give the mean of r and, of a picture, SSIM."""
    return float(np.nanmean([found.correlation, found.ssim]))


def design_text(protocol: Protocol) -> str:
    """Put what `design` measured, chose and reached into words.

    Parameters
    ----------
    protocol : Protocol
        Made by `design`.

    Returns
    -------
    str
        Several lines.

    Raises
    ------
    InputError
        The protocol was not made by `design`.
    """
    made = protocol.parameters.get("design")
    if made is None:
        msg = f"{protocol.name!r} was not made by design()"
        raise InputError(msg)
    lines = [
        f"{protocol!r}",
        f"method        {made['method']} ({made['detail']})"
        + ("" if made["cutoff"] is None else f", low-pass {made['cutoff']:.4g} Hz"),
        f"peak          {made['peak'] * 1e12:.4g} pA of {made['limit'] * 1e12:.4g} pA allowed",
        f"cell          {made['resistance'] / 1e6:.4g} MOhm, tau {made['tau'] * 1e3:.3g} ms "
        f"(RC fit, error {made['rc_error']:.1%}); {made['cells']} measured",
    ]
    for key in ("predicted", "recorded"):
        for which in ("direct", "designed"):
            found = made[key].get(which)
            if found is not None:
                lines.append(f"{key:13s} {which:9s} {_in_words(found)}")
    return "\n".join([*lines, *(f"note: {note}" for note in made["notes"])])


def _in_words(found: dict[str, Any]) -> str:
    names = {"correlation": "r", "ssim": "SSIM"}
    parts = [
        f"{names[k]} " + " / ".join("?" if v is None else f"{v:.4f}" for v in found[k])
        for k in names
        if any(v is not None for v in found[k])
    ]
    return ", ".join(parts) + (" (5 / 50 / 95 %)" if found["n"] > 1 else "")


def why_worse(  # noqa: PLR0917
    measured: dict[str, Any], direct: Way, best: Way, responses: Sequence[LinearResponse],
    tau: Quantity, impedance: Quantity,
) -> str:  # fmt: skip
    """Say that the direct stimulus is better, and why."""
    if measured:
        spikes = sum(n for _, n in measured["designed"])
        pair = [measured[k][0][0] for k in ("designed", "direct")]
        text = f"the design gives {pair[0]!r}, the direct stimulus {pair[1]!r}"
        if spikes > sum(n for _, n in measured["direct"]):
            return f"{text}: the design makes {spikes} spikes; lower the amplitude or the peak"
    else:
        text = f"predicted: the design {best.predicted[0]!r}, direct {direct.predicted[0]!r}"
    measured_tau = float(np.median([r.fit_rc()[1] for r in responses]))
    if tau is not None:
        given = si(tau, "s", "tau")
        return (
            f"the direct stimulus is better, and is returned: {text}; tau={given * 1e3:.3g} ms "
            f"was given, {measured_tau * 1e3:.3g} ms is measured; leave tau out"
        )
    if impedance is not None:
        return (
            f"the direct stimulus is better, and is returned: {text}; the impedance that was "
            "given is not this cell's; leave it out"
        )
    return f"the direct stimulus is better, and is returned: {text}"


def summary(found: Sequence[Fidelity]) -> dict[str, Any]:
    """5th, 50th and 95th percentile over the cells (one value of one cell)."""

    def spread(values: list[float]) -> list[float | None]:
        if not np.isfinite(values).any():
            return [None]
        points = [50.0] if len(values) == 1 else [5.0, 50.0, 95.0]
        return [float(v) for v in np.nanpercentile(values, points)]

    return {
        "correlation": spread([f.correlation for f in found]),
        "ssim": spread([f.ssim for f in found]),
        "n": len(found),
    }


def finished(  # noqa: PLR0917
    made: Protocol, target: Protocol, way: Way, direct: Way,
    responses: Sequence[LinearResponse], limit: float, scale: float, notes: list[str],
    measured: dict[str, Any], tried: Way | None = None,
) -> Protocol:  # fmt: skip
    """Write what was measured, chosen and reached into the protocol."""
    shown = tried if tried is not None else way
    fits = np.array([r.fit_rc() for r in responses])
    report = {
        "method": way.name, "detail": way.detail, "cutoff": way.cutoff,
        "peak": float(np.abs(made.waveforms - made.holding).max()),
        "limit": limit, "scale": scale, "resistance": float(np.median(fits[:, 0])),
        "tau": float(np.median(fits[:, 1])), "rc_error": float(np.median(fits[:, 2])),
        "cells": len(responses), "source": responses[0].source,
        "tried": None if tried is None else f"{tried.name} ({tried.detail})",
        "predicted": {
            "direct": summary(direct.predicted), "designed": summary(shown.predicted),
        },
        "recorded": {k: summary([f for f, _ in v]) for k, v in measured.items()},
        "shift": int(made.parameters.get("design_shift", 0)),
        "notes": list(notes),
    }  # fmt: skip
    own = {k: v for k, v in made.parameters.items() if k not in ("design_shift", "summary")}
    name = target.name if way is direct else f"{target.name}-designed"
    return attrs.evolve(made, parameters=own | {"design": report}, name=name)
