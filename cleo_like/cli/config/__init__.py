"""Settings of a folder (``cleo-like.toml``), and the log."""

from cleo_like.cli.config.log import logged
from cleo_like.cli.config.settings import Settings, found_settings, read_settings, settings

__all__ = ["Settings", "found_settings", "logged", "read_settings", "settings"]
