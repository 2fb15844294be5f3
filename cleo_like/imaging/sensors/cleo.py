"""The ten indicators of Cleo, as functions of their parameters.

Their kinetics are Cleo's: single-spike transients of GCaMP6 that last several times longer
than recordings show. They are for scripts that shall give what Cleo gave.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypedDict

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.imaging.sensors.cleo_table import CALCIUM, CALCIUM_SOURCE, INDICATORS, NUMBERS
from cleo_like.imaging.sensors.parts import (
    DoubExpCalBindingActivation,
    DynamicCalcium,
    LightExcitation,
    NullBindingActivation,
    NullExcitation,
    PreexistingCalcium,
)
from cleo_like.imaging.sensors.sensor import GECI

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from cleo_like.imaging.sensors.cleo_table import Indicator
    from cleo_like.imaging.sensors.parts import ExcitationModel

_LIGHT = ("power", "reference_power", "wavelength", "reference_wavelength", "spectrum")
_KERNEL = ("A", "tau_on", "tau_off")
_CALCIUM = ("Ca_rest", "gamma", "B_T", "kappa_S", "dCa_T")
_FLAGS = {"light_dependent": False, "doub_exp_conv": True, "pre_existing_cal": False}


class Parameters(TypedDict, total=False):
    """Keywords of the factories; what is not given comes from the table."""

    light_dependent: bool
    doub_exp_conv: bool
    pre_existing_cal: bool
    K_d: Any
    n_H: float
    dFF_max: float
    sigma_noise: float
    dFF_1AP: float | None
    ca_amp: float | None
    t_on: float | None
    t_off: float | None
    Ca_rest: Any
    kappa_S: float
    gamma: Any
    B_T: Any
    dCa_T: Any
    name: str
    save_history: bool
    extra_namespace: dict[str, Any]
    evaluation: str
    method: str
    power: Any
    reference_power: Any
    wavelength: Any
    reference_wavelength: Any
    spectrum: Any


def geci(
    light_dependent: bool,  # noqa: FBT001 - Cleo's signature
    doub_exp_conv: bool,  # noqa: FBT001
    pre_existing_cal: bool,  # noqa: FBT001
    **kwparams: Any,
) -> GECI:
    """Put an indicator together.

    Parameters
    ----------
    light_dependent : bool
        Whether excitation scales the signal (see `LightExcitation` for what it needs).
    doub_exp_conv : bool
        Whether binding is a double-exponential kernel (needs A, tau_on, tau_off), else it
        is instantaneous.
    pre_existing_cal : bool
        Whether the neurons have calcium of their own (a variable ``Ca``, molar).
    **kwparams
        Parameters of `GECI` and of its parts; those of parts not chosen are ignored.

    Returns
    -------
    GECI
        Ready to be given to a `Scope`.

    Examples
    --------
    >>> from brian2 import nmolar, umolar, Hz
    >>> sensor = geci(
    ...     light_dependent=False, doub_exp_conv=False, pre_existing_cal=False,
    ...     K_d=290*nmolar, n_H=2.7, dFF_max=25.2, sigma_noise=0.04, dFF_1AP=0.1,
    ...     Ca_rest=50*nmolar, kappa_S=110, gamma=292.3*Hz, B_T=200*umolar, dCa_T=7.6*umolar,
    ... )
    >>> sensor.is_event_driven
    True
    """
    given = dict(kwparams)
    parts = {name: given.pop(name, None) for name in (*_LIGHT, *_KERNEL, *_CALCIUM)}
    rest = {} if parts["Ca_rest"] is None else {"Ca_rest": parts["Ca_rest"]}
    cal_model = (
        PreexistingCalcium(**rest)
        if pre_existing_cal
        else DynamicCalcium(**_needed(parts, _CALCIUM, "pre_existing_cal=True"))
    )
    binding = (
        DoubExpCalBindingActivation(
            **_needed(parts, (*_KERNEL, "Ca_rest"), "doub_exp_conv=False")
        )
        if doub_exp_conv
        else NullBindingActivation()
    )
    excitation: ExcitationModel = NullExcitation()
    if light_dependent:
        excitation = light = LightExcitation(**{k: parts[k] for k in _LIGHT})
        _ = light.factor  # says at once what is missing
    return GECI(cal_model=cal_model, bind_act_model=binding, exc_model=excitation, **given)


def _needed(parts: dict[str, Any], names: tuple[str, ...], instead: str) -> dict[str, Any]:
    missing = [name for name in names if parts[name] is None]
    if missing:
        msg = f"geci needs {', '.join(missing)}; give them, or use {instead}"
        raise InputError(msg)
    return {name: parts[name] for name in names}


def _defaults(row: Indicator) -> dict[str, Any]:
    """Give the defaults of a factory as text and numbers, in the order of Cleo."""
    return {
        "K_d": f"{row.K_d:g} nM",
        "n_H": row.n_H,
        "dFF_max": row.dFF_max,
        "sigma_noise": row.sigma_noise,
        "dFF_1AP": row.dFF_1AP,
        "ca_amp": row.ca_amp,
        "t_on": row.t_on,
        "t_off": row.t_off,
        "Ca_rest": f"{CALCIUM['Ca_rest']:g} nM",
        "kappa_S": CALCIUM["kappa_S"],
        "gamma": f"{CALCIUM['gamma']:g} Hz",
        "B_T": f"{CALCIUM['B_T']:g} uM",
        "dCa_T": f"{CALCIUM['dCa_T']:g} uM",
        "name": row.name,
    }


def _build(name: str, flags: tuple[bool, ...], parameters: Parameters) -> GECI:
    """Build an indicator of the table, with changes."""
    positional = dict(zip(_FLAGS, flags, strict=False))
    if len(flags) > len(_FLAGS) or positional.keys() & parameters.keys():
        msg = (
            f"{name} takes {', '.join(_FLAGS)} in this order, each once, and then "
            f"keywords; got {flags} and {sorted(parameters)}"
        )
        raise InputError(msg)
    given = positional | parameters
    options = set(Parameters.__annotations__)
    unknown = sorted(set(given) - options)
    if unknown:
        raise unknown_name(f"parameter of {name}", unknown[0], options)
    values = _FLAGS | _defaults(INDICATORS[name]) | given
    kernel = {k: values.pop(k) for k in ("ca_amp", "t_on", "t_off")}
    if values["doub_exp_conv"]:
        missing = [k for k, v in kernel.items() if v is None]
        if missing and len(missing) < len(kernel):
            msg = f"{name} needs ca_amp, t_on and t_off together, got {kernel}"
            raise InputError(msg)
        values["doub_exp_conv"] = not missing  # without a kernel, binding is instantaneous
        values |= {} if missing else _kernel(kernel)
    return geci(**values)


def _kernel(naomi: dict[str, float]) -> dict[str, Any]:
    """Convert NAOMi's numbers: an amplitude for a step of 10 ms, and two rates (1/s)."""
    from brian2 import second

    if not all(value > 0 for value in naomi.values()):
        msg = f"ca_amp, t_on and t_off must be above 0, got {naomi}"
        raise InputError(msg)
    return {
        "A": naomi["ca_amp"] / (0.01 * second),
        "tau_on": 1 / naomi["t_on"] * second,
        "tau_off": 1 / naomi["t_off"] * second,
    }


_DOC = """

    Parameters
    ----------
    light_dependent : bool
        Whether excitation scales the signal; needs power, reference_power, wavelength and
        spectrum (see `LightExcitation`), as no two-photon spectrum with a source is known.
    doub_exp_conv : bool
        Whether binding follows its kernel{kernel}.
    pre_existing_cal : bool
        Whether the neurons have calcium of their own (a variable ``Ca``, molar).
    K_d : quantity or str
        Dissociation constant (molar).
    n_H, dFF_max : float
        Hill coefficient, and dF/F at saturation.
    sigma_noise : float
        Standard deviation of the noise of dF/F for a cell in focus.
    dFF_1AP : float or None
        dF/F for one action potential; only for a scope's SNR cut.
    ca_amp, t_on, t_off : float or None
        Kernel of binding: amplitude for a step of 10 ms, and two rates (1/s).
    Ca_rest, B_T, dCa_T : quantity or str
        Calcium at rest, indicator in all, and calcium that enters with a spike (molar).
    kappa_S : float
        Binding ratio of the cell's own buffers.
    gamma : quantity or str
        Rate of extrusion (1/s).
    name : str
        Name of the device.
    **parameters
        Those of the light (see light_dependent), and save_history, extra_namespace,
        evaluation, method (see `GECI`).

    Returns
    -------
    GECI
        Ready to be given to a `Scope`.

    Notes
    -----
    Defaults: {defaults}.

    Sources: {sources}; calcium: {calcium}.
    """


def _from_table(function: Callable[..., GECI]) -> Callable[..., GECI]:
    """Complete docstring and signature of a factory from its row."""
    row = INDICATORS[function.__name__]
    defaults = _defaults(row)
    known = "" if row.has_kernel else " (none is known: it is taken as instantaneous)"
    function.__doc__ = (function.__doc__ or "") + _DOC.format(
        kernel=known,
        defaults=", ".join(f"{k}={v}" for k, v in defaults.items()),
        sources="; ".join(f"{k}: {row.sources[k]}" for k in NUMBERS),
        calcium=CALCIUM_SOURCE,
    )
    shown = [
        inspect.Parameter(k, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=v)
        for k, v in _FLAGS.items()
    ] + [
        inspect.Parameter(k, inspect.Parameter.KEYWORD_ONLY, default=v)
        for k, v in defaults.items()
    ]
    own = inspect.signature(function)
    rest = [p for p in own.parameters.values() if p.kind is p.VAR_KEYWORD]
    function.__signature__ = own.replace(parameters=[*shown, *rest])  # type: ignore[attr-defined]
    return function


@_from_table
def gcamp3(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make GCaMP3, as Cleo has it."""
    return _build("gcamp3", flags, parameters)


@_from_table
def gcamp6f(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make GCaMP6f, as Cleo has it."""
    return _build("gcamp6f", flags, parameters)


@_from_table
def gcamp6s(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make GCaMP6s, as Cleo has it."""
    return _build("gcamp6s", flags, parameters)


@_from_table
def gcamp6rs06(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make GCaMP6-rs06, as Cleo has it."""
    return _build("gcamp6rs06", flags, parameters)


@_from_table
def gcamp6rs09(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make GCaMP6-rs09, as Cleo has it."""
    return _build("gcamp6rs09", flags, parameters)


@_from_table
def jgcamp7f(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make jGCaMP7f, as Cleo has it."""
    return _build("jgcamp7f", flags, parameters)


@_from_table
def jgcamp7s(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make jGCaMP7s, as Cleo has it."""
    return _build("jgcamp7s", flags, parameters)


@_from_table
def jgcamp7b(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make jGCaMP7b, as Cleo has it."""
    return _build("jgcamp7b", flags, parameters)


@_from_table
def jgcamp7c(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make jGCaMP7c, as Cleo has it."""
    return _build("jgcamp7c", flags, parameters)


@_from_table
def ogb1(*flags: bool, **parameters: Unpack[Parameters]) -> GECI:
    """Make Oregon Green BAPTA-1, as Cleo has it."""
    return _build("ogb1", flags, parameters)


gcamp6_rs06 = gcamp6rs06
gcamp6_rs09 = gcamp6rs09
ogb_1 = ogb1
