"""``cleo-like.toml``: protocols by name, channels of files, limits, a log.

It is looked for in the working directory and those above it::

    [protocols]                    # --protocol steps
    steps = "long_square amplitudes=-100:300:50pA rate=50kHz"

    [channels]                     # which channel or electrode of which files
    "*.abf" = "IN 0"

    [limits.spikes]                # of ExtractionParameters
    min_peak = "-25 mV"

    [limits.quality]               # of Criteria
    noise = "0.1 mV"

    [log]
    file = "cleo-like.log"
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import CleoLikeError, FileFormatError, InputError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cleo_like.features.parameters import ExtractionParameters
    from cleo_like.qc.verdicts import Criteria, Preset

NAME = "cleo-like.toml"
_SECTIONS = ("protocols", "channels", "limits", "log")
_LIMITS = ("spikes", "quality")


@attrs.frozen(kw_only=True)
class Settings:
    """What a settings file says; nothing where there is none.

    Parameters
    ----------
    path : Path, optional
        The file.
    protocols : mapping of str to str
        Name to a line, as of `parse_protocol`, or the name of a file beside the settings.
    channels : mapping of str to str
        Pattern of file names to the channel or electrode that is read.
    spikes, quality : mapping
        Fields of `ExtractionParameters` and of `Criteria`.
    log : Path, optional
        File to which runs are added.
    """

    path: Path | None = None
    protocols: Mapping[str, str] = attrs.field(factory=dict)
    channels: Mapping[str, str] = attrs.field(factory=dict)
    spikes: Mapping[str, Any] = attrs.field(factory=dict)
    quality: Mapping[str, Any] = attrs.field(factory=dict)
    log: Path | None = None

    def parameters(self) -> ExtractionParameters:
        """Give the limits of features."""
        from cleo_like.features.parameters import ExtractionParameters

        return self._made(ExtractionParameters(), self.spikes, "limits.spikes")

    def criteria(self, preset: Preset) -> Criteria:
        """Give the limits of quality: those of a preset, and what the file says."""
        from cleo_like.qc.verdicts import PRESETS

        return self._made(PRESETS[preset], self.quality, "limits.quality")

    def _made(self, base: Any, changes: Mapping[str, Any], where: str) -> Any:
        known = [field.name for field in attrs.fields(type(base))]
        for name in changes:
            if name not in known:
                raise unknown_name(f"limit in [{where}] of {self.path}", name, known)
        try:
            return attrs.evolve(base, **changes)
        except CleoLikeError as error:
            msg = f"[{where}] of {self.path}: {error}"
            raise InputError(msg) from error


def found_settings(folder: Path) -> Settings:
    """Read the settings file of a folder, or of the nearest one above that has one.

    Parameters
    ----------
    folder : Path
        Where to begin.
    """
    start = folder.resolve()
    for place in (start, *start.parents):
        if (place / NAME).is_file():
            return read_settings(place / NAME)
    return Settings()


def read_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises
    ------
    FileFormatError
        It is not there, or no TOML.
    UnknownNameError
        A section or a setting that there is none of.
    InputError
        A value of the wrong kind.
    """
    if not path.is_file():
        msg = f"there is no settings file {path}"
        raise FileFormatError(msg)
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no TOML: {error}"
        raise FileFormatError(msg) from error
    _known(given, _SECTIONS, f"section of {path}")
    limits = _table(given, "limits", path)
    _known(limits, _LIMITS, f"section of [limits] in {path}")
    log = _texts(_table(given, "log", path), "log", path)
    _known(log, ("file",), f"setting of [log] in {path}")
    protocols = _texts(_table(given, "protocols", path), "protocols", path)
    made = Settings(
        path=path,
        protocols={name: _protocol(text, path.parent) for name, text in protocols.items()},
        channels=_texts(_table(given, "channels", path), "channels", path),
        spikes=_values(_table(limits, "spikes", path)),
        quality=_values(_table(limits, "quality", path)),
        log=path.parent / log["file"] if "file" in log else None,
    )
    made.parameters(), made.criteria("own")  # what is wrong is said at once
    return made


def settings() -> Settings:
    """Give those of the command that runs; none outside of one."""
    import click

    context = click.get_current_context(silent=True)
    own = None if context is None else context.find_root().obj
    return own if isinstance(own, Settings) else Settings()


def _known(given: Mapping[str, Any], names: Iterable[str], what: str) -> None:
    for name in given:
        if name not in names:
            raise unknown_name(what, name, names)


def _table(given: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    found = given.get(name, {})
    if not isinstance(found, dict):
        msg = f"[{name}] of {path} must be a table, got {found!r}"
        raise InputError(msg)
    return found


def _texts(table: dict[str, Any], where: str, path: Path) -> dict[str, str]:
    for name, value in table.items():
        if not isinstance(value, str):
            msg = f"{name} in [{where}] of {path} must be a text in quotes, got {value!r}"
            raise InputError(msg)
    return table


def _values(table: dict[str, Any]) -> dict[str, Any]:
    """Give lists as tuples (a range of two limits)."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in table.items()}


def _protocol(text: str, folder: Path) -> str:
    """Take a file beside the settings for that file, wherever the command runs."""
    beside = folder / text
    return str(beside) if beside.is_file() else text
