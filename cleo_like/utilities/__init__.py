"""Small things a Cleo script touches: seeds, directions, units, Neo, plot style."""

from cleo_like.utilities.brian import brian_safe_name, modify_model_with_eqs
from cleo_like.utilities.geometry import (
    get_orth_vectors_for_V,
    normalize_coords,
    uniform_cylinder_rθz,  # noqa: PLC2403 - Cleo's name
    xyz_from_rθz,  # noqa: PLC2403 - Cleo's name
)
from cleo_like.utilities.neo import add_to_neo_segment, analog_signal, times_are_regular
from cleo_like.utilities.quantities import (
    unit_safe_allclose,
    unit_safe_append,
    unit_safe_cat,
    unit_safe_round,
)
from cleo_like.utilities.randomness import new_generator, new_seed, rng, set_seed
from cleo_like.utilities.style import (
    style_plots_for_docs,
    style_plots_for_paper,
    wavelength_to_rgb,
)

__all__ = [
    "add_to_neo_segment",
    "analog_signal",
    "brian_safe_name",
    "get_orth_vectors_for_V",
    "modify_model_with_eqs",
    "new_generator",
    "new_seed",
    "normalize_coords",
    "rng",
    "set_seed",
    "style_plots_for_docs",
    "style_plots_for_paper",
    "times_are_regular",
    "uniform_cylinder_rθz",
    "unit_safe_allclose",
    "unit_safe_append",
    "unit_safe_cat",
    "unit_safe_round",
    "wavelength_to_rgb",
    "xyz_from_rθz",
]
