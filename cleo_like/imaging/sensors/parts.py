"""Parts of an indicator: free calcium, its binding, and the light that excites it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.base.quantities import quantity_field
from cleo_like.core.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    from brian2 import Synapses


def positive_number(instance: Any, attribute: Any, value: Any) -> None:
    """Refuse a parameter that is not above 0."""
    _refuse_unless(float(value) > 0, "above 0", instance, attribute.name, value)


def not_negative(instance: Any, attribute: Any, value: Any) -> None:
    """Refuse a parameter below 0."""
    _refuse_unless(float(value) >= 0, "0 or more", instance, attribute.name, value)


def _refuse_unless(good: bool, wanted: str, instance: object, name: str, value: object) -> None:  # noqa: FBT001
    if not good:
        msg = f"{name} of {type(instance).__name__} must be {wanted}, got {value}"
        raise InputError(msg)


@attrs.define(eq=False, slots=False)
class _Part:
    """Equations, and parameters that are the part's fields."""

    model: str = attrs.field(repr=False)
    """Brian2 equations."""

    def init_syn_vars(self, syn: Synapses) -> None:
        """Set the variables of the part to rest."""

    def params(self) -> dict[str, Any]:
        """Parameters for the equations."""
        return {
            f.name: getattr(self, f.name)
            for f in attrs.fields(type(self))
            if f.name not in ("model", "on_pre")
        }


@attrs.define(eq=False, slots=False)
class CalciumModel(_Part):
    """How calcium comes about; the equations must give ``Ca`` (molar).

    Parameters
    ----------
    model : str
        Brian2 equations.
    """

    on_pre: str = attrs.field(init=False, repr=False, default="")
    """What a spike does."""


@attrs.define(eq=False, slots=False)
class PreexistingCalcium(CalciumModel):
    """Calcium is a variable of the neurons: ``Ca`` (molar), or as the injection says.

    Injection keyword: ``Ca_var_name``.

    Parameters
    ----------
    Ca_rest : quantity, optional
        Resting concentration, where dF/F is 0 (default 50 nM).
    """

    model: str = attrs.field(init=False, repr=False, default="Ca = Ca_pre : mmolar")
    Ca_rest: Any = attrs.field(
        default="50 nM",
        kw_only=True,
        converter=quantity_field("M", "Ca_rest"),
        validator=positive_number,
    )


@attrs.define(eq=False, slots=False)
class DynamicCalcium(CalciumModel):
    r"""Calcium that enters at each spike, is buffered, and is pumped out.

    :math:`\dot{Ca} = -\gamma (Ca - Ca_{rest}) / (1 + \kappa_S + \kappa_B)`, and at a spike
    :math:`Ca \mathrel{+}= \Delta Ca_T / (1 + \kappa_S + \kappa_B)`, with
    :math:`\kappa_B = B_T K_d / (Ca + K_d)^2`.

    Parameters
    ----------
    Ca_rest : quantity
        Resting concentration (molar).
    gamma : quantity
        Rate of extrusion (1/s).
    B_T : quantity
        Total concentration of the indicator (molar).
    kappa_S : float
        Binding ratio of the cell's own buffers.
    dCa_T : quantity
        Total calcium that enters with a spike (molar).

    Notes
    -----
    Source: Lütcke et al. 2013, eq. 8 and 9; Helmchen & Tank 2015; Song et al. 2021.
    """

    model: str = attrs.field(
        init=False,
        repr=False,
        default=(
            "dCa/dt = -gamma*(Ca - Ca_rest)/(1 + kappa_S + kappa_B) : mmolar (clock-driven)\n"
            "kappa_B = B_T*K_d/(Ca + K_d)**2 : 1"
        ),
    )
    on_pre: str = attrs.field(
        init=False, repr=False, default="Ca += dCa_T/(1 + kappa_S + kappa_B)"
    )
    Ca_rest: Any = attrs.field(
        kw_only=True, converter=quantity_field("M", "Ca_rest"), validator=positive_number
    )
    gamma: Any = attrs.field(
        kw_only=True, converter=quantity_field("Hz", "gamma"), validator=positive_number
    )
    B_T: Any = attrs.field(
        kw_only=True, converter=quantity_field("M", "B_T"), validator=not_negative
    )
    kappa_S: float = attrs.field(kw_only=True, validator=not_negative)  # noqa: N815
    dCa_T: Any = attrs.field(  # noqa: N815
        kw_only=True, converter=quantity_field("M", "dCa_T"), validator=not_negative
    )

    def init_syn_vars(self, syn: Synapses) -> None:
        """Set calcium to rest."""
        syn.Ca = self.Ca_rest


@attrs.define(eq=False, slots=False)
class CalBindingActivationModel(_Part):
    """How the indicator follows calcium; the equations must give ``CaB`` (molar).

    Parameters
    ----------
    model : str
        Brian2 equations.
    """


@attrs.define(eq=False, slots=False)
class NullBindingActivation(CalBindingActivationModel):
    """Binding is instantaneous."""

    model: str = attrs.field(init=False, repr=False, default="CaB = Ca : mmolar")


@attrs.define(eq=False, slots=False)
class DoubExpCalBindingActivation(CalBindingActivationModel):
    r"""Binding as a convolution of calcium with a double exponential, written as two ODEs.

    :math:`CaB = Ca_{rest} + h * (Ca - Ca_{rest})` with
    :math:`h(t) = A (1 - e^{-t/\tau_{on}}) e^{-t/\tau_{off}}`.

    Parameters
    ----------
    A : quantity or float
        Amplitude of the kernel (1/s).
    tau_on, tau_off : quantity
        Time constants of binding and unbinding.
    Ca_rest : quantity
        Resting concentration (molar).

    Notes
    -----
    Source: Song et al. 2021; A = ca_amp/(10 ms), tau_on = 1 s/t_on, tau_off = 1 s/t_off.
    """

    model: str = attrs.field(
        init=False,
        repr=False,
        default=(
            "CaB = Ca_rest + b : mmolar\n"
            "db/dt = beta : mmolar (clock-driven)\n"
            "dbeta/dt = A*(lam - kap)*(Ca - Ca_rest) - (kap + lam)*beta - kap*lam*b"
            " : mmolar/second (clock-driven)\n"
            "lam = 1/tau_off + 1/tau_on : Hz\n"
            "kap = 1/tau_off : Hz"
        ),
    )
    A: Any = attrs.field(kw_only=True)
    tau_on: Any = attrs.field(
        kw_only=True, converter=quantity_field("s", "tau_on"), validator=positive_number
    )
    tau_off: Any = attrs.field(
        kw_only=True, converter=quantity_field("s", "tau_off"), validator=positive_number
    )
    Ca_rest: Any = attrs.field(
        kw_only=True, converter=quantity_field("M", "Ca_rest"), validator=positive_number
    )

    def __attrs_post_init__(self) -> None:
        """Give the amplitude its unit."""
        from brian2 import Hz

        if isinstance(self.A, (int, float)):
            self.A = self.A * Hz
        self.A = quantity_field("Hz", "A")(self.A)

    def init_syn_vars(self, syn: Synapses) -> None:
        """Set bound calcium to rest."""
        syn.b = 0
        syn.beta = 0


@attrs.define(eq=False, slots=False)
class ExcitationModel(_Part):
    """How the exciting light scales the signal; the equations must give ``exc_factor``.

    Parameters
    ----------
    model : str
        Brian2 equations.
    """


@attrs.define(eq=False, slots=False)
class NullExcitation(ExcitationModel):
    """The light is constant: a factor of 1."""

    model: str = attrs.field(init=False, repr=False, default="exc_factor = 1 : 1")


@attrs.define(eq=False, slots=False)
class LightExcitation(ExcitationModel):
    """Two-photon excitation: the signal goes with the square of the power, and a spectrum.

    The factor is ``(power/reference_power)**2 * eps(wavelength)/eps(reference_wavelength)``,
    1 at the reference. No indicator of the table has a two-photon spectrum with a source,
    so the spectrum must be given.

    Parameters
    ----------
    power, reference_power : quantity, optional
        Power at the sample, and the power for which dF/F is defined.
    wavelength, reference_wavelength : quantity, optional
        Of the laser (default of the reference: the peak of the spectrum).
    spectrum : list of (quantity, float), optional
        Two-photon action spectrum: wavelengths with relative efficiencies.
    """

    model: str = attrs.field(init=False, repr=False, default="exc_factor = exc_value : 1")
    power: Any = attrs.field(default=None, converter=quantity_field("W", "power"))
    reference_power: Any = attrs.field(
        default=None, converter=quantity_field("W", "reference_power")
    )
    wavelength: Any = attrs.field(default=None, converter=quantity_field("m", "wavelength"))
    reference_wavelength: Any = attrs.field(
        default=None, converter=quantity_field("m", "reference_wavelength")
    )
    spectrum: Any = None

    @property
    def factor(self) -> float:
        """The factor on dF/F.

        Raises
        ------
        UnsupportedError
            Something that defines it is missing; the message names it.
        """
        needed = ("power", "reference_power", "wavelength", "spectrum")
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            msg = (
                f"light-dependent excitation needs {', '.join(missing)}; the package has no "
                f"two-photon spectrum with a source, so give LightExcitation(power=..., "
                f"reference_power=..., wavelength=..., spectrum=[(920*nmeter, 1.0), ...])"
            )
            raise UnsupportedError(msg)
        ratio = float(self.power) / float(self.reference_power)
        reference = self.reference_wavelength
        peak = max(e for _, e in self.spectrum)
        at_reference = peak if reference is None else self._efficiency(float(reference))
        return ratio**2 * self._efficiency(float(self.wavelength)) / at_reference

    def _efficiency(self, wavelength: float) -> float:
        """Interpolate the spectrum; outside it nothing is known."""
        known = sorted((float(w), float(e)) for w, e in self.spectrum)
        x, y = np.array(known).T
        if not x[0] <= wavelength <= x[-1]:
            msg = (
                f"the spectrum spans {x[0] * 1e9:g} to {x[-1] * 1e9:g} nm; it says nothing "
                f"about {wavelength * 1e9:g} nm"
            )
            raise InputError(msg)
        return float(np.interp(wavelength, x, y))

    def params(self) -> dict[str, Any]:
        """Parameters for the equations."""
        return {"exc_value": self.factor}
