"""Tables that others published, in the catalogue's names and units by a mapping file."""

from cleo_like.atlas.tables.importing import import_table
from cleo_like.atlas.tables.mapping import Mapping, mapping_names, read_mapping

__all__ = ["Mapping", "import_table", "mapping_names", "read_mapping"]
