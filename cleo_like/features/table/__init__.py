"""The table of features: a row per cell, and why each missing value is missing."""

from cleo_like.features.table.cells import META, FeatureTable, Record
from cleo_like.features.table.files import check_table, is_parquet

__all__ = ["META", "FeatureTable", "Record", "check_table", "is_parquet"]
