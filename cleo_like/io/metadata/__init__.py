"""What archives say about a cell, in words that compare: rules first, a model if asked."""

from cleo_like.io.metadata.language_model import ModelAnswer, ModelSettings, ask_region
from cleo_like.io.metadata.regions import Region, region_of
from cleo_like.io.metadata.subject import (
    Species,
    age_in_days,
    age_of,
    genus_of,
    sex_of,
    species_of,
    temperature_of,
)

__all__ = [
    "ModelAnswer", "ModelSettings", "Region", "Species", "age_in_days", "age_of", "ask_region",
    "genus_of", "region_of", "sex_of", "species_of", "temperature_of",
]  # fmt: skip
