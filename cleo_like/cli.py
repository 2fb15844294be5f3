"""The command line: one thin function per verb."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleo_like.core.errors import CleoLikeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core import Protocol, Recording

_STIMULUS_SUFFIXES = (".abf", ".atf", ".nwb")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Verbs(click.Group):
    """A group whose commands report the package's errors in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CleoLikeError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Verbs, context_settings=_CONTEXT)
@click.version_option(package_name="cleo_like")
def main() -> None:
    """Virtual patch-clamp laboratory: from a protocol or a picture to recordings.

    \b
    Examples:
      cleo-like stimulus image photo.jpg --sweep-duration 1s --sample-rate 10kHz -o photo.abf
      cleo-like simulate --cell rs --protocol photo.abf -o recordings
      cleo-like relief recordings/rs.abf -o relief.png
      cleo-like demo
    """


# --- stimulus: one command per family, its options are the arguments of the function ---


@main.group()
def stimulus() -> None:
    """Write a stimulus file (.abf or .atf for Clampex, .nwb).

    \b
    Examples:
      cleo-like stimulus image photo.jpg --sweep-duration 1s --sample-rate 10kHz -o photo.abf
      cleo-like stimulus long-square --amplitudes=-100:300:50pA -o steps.atf
      cleo-like stimulus chirp --help
    """


def _add_stimulus_commands() -> None:
    """Make `stimulus NAME` for each family from its signature and docstring."""
    from cleo_like.stimuli.spec import FAMILY_MAKERS

    for name, maker in FAMILY_MAKERS.items():
        verb = "image" if name == "picture" else name.replace("_", "-")
        stimulus.add_command(_family_command(verb, name, maker))


def _family_command(verb: str, name: str, maker: Callable[..., Protocol]) -> click.Command:
    texts = _parameter_texts(maker.__doc__ or "")
    parameters: list[click.Parameter] = []
    for key, parameter in inspect.signature(maker).parameters.items():
        required = parameter.default is parameter.empty
        if key == "picture":
            parameters.append(click.Argument([key]))
        elif key != "dac":
            shown = f"  [default: {_shown_default(parameter.default)}]" if not required else ""
            parameters.append(
                click.Option(
                    [f"--{key.replace('_', '-')}", key],
                    required=required,
                    metavar="VALUE",
                    help=texts.get(key, "") + shown,
                )
            )
    parameters.append(
        click.Option(
            ["-o", "--output"],
            required=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="File to write: .abf, .atf or .nwb.",
        )
    )

    def run(output: Path, **given: str | None) -> None:
        words = [f"{key}={value}" for key, value in given.items() if value is not None]
        _write_stimulus(" ".join([name, *map(shlex.quote, words)]), output)

    summary = (maker.__doc__ or "").strip().splitlines()[0]
    return click.Command(verb, callback=run, params=parameters, help=summary)


def _write_stimulus(line: str, output: Path) -> None:
    from cleo_like.io import write
    from cleo_like.stimuli import parse_protocol

    protocol = parse_protocol(line)
    written = write(protocol, output)
    click.echo(f"{protocol!r}\nwritten to {written}")


def _parameter_texts(docstring: str) -> dict[str, str]:
    """Take the description of each parameter out of a numpydoc docstring."""
    heading = r"\n\s*\n\s*\w+\n\s*-+\n"
    section = re.search(rf"Parameters\n\s*-+\n(.*?)(?:{heading}|\Z)", docstring, re.S)
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(section[1] if section else "").splitlines():
        head = re.match(r"(\w+(?:, \w+)*) : ", line)
        if head:
            names = head[1].split(", ")
        for name in names if not head else []:
            texts[name] = f"{texts.get(name, '')} {line.strip()}".strip()
    return texts


def _shown_default(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


# --- the other verbs ---


@main.command()
def cells() -> None:
    """List the library cells with their landmarks and sources."""
    from cleo_like.cells import cell_names, get_cell

    for name in cell_names():
        cell = get_cell(name)
        click.echo(f"{name:26s} {cell.landmark}\n{'':26s} {cell.source}")


@main.command()
@click.option("--cell", "names", multiple=True, required=True, help="Library cell; repeatable.")
@click.option("--protocol", required=True, metavar="FILE|SPEC", help="File or one line.")
@click.option("-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--format", "formats", multiple=True, type=click.Choice(["abf", "nwb", "atf"]))
@click.option("--noise", default="0 mV", show_default=True, help="Recording noise, rms.")
@click.option("--lowpass", default=None, help="Bessel filter, for example '2 kHz'.")
@click.option("--seed", type=int, default=None, help="Seed (default: drawn, kept).")
@click.option("--backend", type=click.Choice(["auto", "compiled", "brian2", "cpp_standalone"]), default="auto")
@click.option("--sequential", is_flag=True, help="Sweeps one after another, with the gap.")
@click.option("--keep-voltage", is_flag=True, help="Keep the noise-free potential (NWB).")
def simulate(
    names: tuple[str, ...],
    protocol: str,
    out: Path,
    formats: tuple[str, ...],
    noise: str,
    lowpass: str | None,
    seed: int | None,
    backend: str,
    sequential: bool,
    keep_voltage: bool,
) -> None:
    """Record library cells with a protocol; writes ABF and NWB.

    \b
    Examples:
      cleo-like simulate --cell rs --cell narrow_fs --protocol steps.atf -o recordings
      cleo-like simulate --cell sag --protocol "sag_ladder rate=20kHz" -o recordings
      cleo-like simulate --cell rs --protocol photo.abf --noise 0.1mV -o recordings
    """
    from cleo_like.patch import IdealElectrode, record

    recordings = record(
        list(names),
        _protocol(protocol),
        electrode=IdealElectrode(noise=noise, lowpass=lowpass),
        seed=seed,
        backend=backend,
        sequential=sequential,
        keep_voltage=keep_voltage,
    )
    for recording in recordings:
        click.echo(repr(recording))
        for path in _write_recording(recording, out, formats if formats else ("abf", "nwb")):
            click.echo(f"  {path}")


@main.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--protocol", default=None, metavar="FILE", help="Picture stimulus.")
@click.option("--repeat", "repeats", multiple=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", default=None, type=click.Path(dir_okay=False, path_type=Path))
def relief(
    recording: Path, protocol: str | None, repeats: tuple[Path, ...], output: Path | None
) -> None:
    """Read the recording of a picture protocol back as a picture.

    \b
    Examples:
      cleo-like relief recordings/rs.abf
      cleo-like relief recordings/rs.abf --repeat recordings/rs-2.abf -o relief.png
    """
    from cleo_like.io import read
    from cleo_like.report import relief_figure
    from cleo_like.stimuli import relief as read_back

    drawn = read(recording)
    used = _protocol(protocol) if protocol is not None else None
    found = read_back(drawn, used, repeats=[read(path) for path in repeats])
    click.echo(f"{found!r}\n{found.direct!r}\n{found.best!r}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if output is not None:
        _save_figure(relief_figure(found, drawn, protocol=used), output)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def info(files: tuple[Path, ...]) -> None:
    """Tell what is in ABF, ATF and NWB files.

    \b
    Example:
      cleo-like info recordings/*.abf
    """
    from cleo_like.io import describe

    for path in files:
        click.echo(str(describe(path)))


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def match(files: tuple[Path, ...]) -> None:
    """Tell which protocol each sweep of a file is, and why.

    \b
    Example:
      cleo-like match recordings/*.abf
    """
    from cleo_like.io import read_all
    from cleo_like.matching import match as find

    for path in files:
        for recording in read_all(path):
            found = find(recording)
            click.echo(f"{path} {recording.cell.id}: {found!r}")
            for verdict in found.sweeps:
                click.echo(f"  {verdict!r}")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--extractor", default="native", show_default=True, help="native, ipfx, efel ...")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--figures", default=None, type=click.Path(file_okay=False, path_type=Path))
@click.option("--resume", is_flag=True, help="Skip files that OUTPUT has already.")
def features(
    files: tuple[Path, ...],
    output: Path,
    extractor: str,
    jobs: int,
    figures: Path | None,
    resume: bool,
) -> None:
    """Measure cells: one row of features each, and why a value is missing.

    \b
    Examples:
      cleo-like features recordings/*.abf -o table.csv
      cleo-like features *.nwb -o table.parquet --extractor ipfx --figures figures
    """
    from cleo_like.features.extract import extract

    table = extract(files, extractor=extractor, n_jobs=jobs, resume=output if resume else None)
    click.echo(f"{len(table)} cells in {table.write(output)}")
    for row, status in enumerate(table["status"]):
        if status != "ok":
            click.echo(f"  {table['source'].iloc[row]}: {table['notes'].iloc[row]}")
    if figures is not None:
        _write_feature_figures(files, figures)


def _write_feature_figures(files: tuple[Path, ...], folder: Path) -> None:
    from cleo_like.core.errors import InputError
    from cleo_like.features.registry import cell_features
    from cleo_like.io import read_all
    from cleo_like.report.features_figure import features_figure

    for path in files:
        for recording in read_all(path):
            name = f"{path.stem}-{recording.cell.id}"
            try:
                figure = features_figure(cell_features(recording), title=name)
            except InputError as error:  # no long squares: the table says so too
                click.echo(f"no figure of {name}: {error}")
                continue
            _save_figure(figure, folder / f"{name}.png")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", default=None, type=click.Path(dir_okay=False, path_type=Path))
def qc(files: tuple[Path, ...], output: Path | None) -> None:
    """Judge feature tables (ranges) or recordings (every criterion), with reasons.

    \b
    Examples:
      cleo-like qc table.csv
      cleo-like qc recordings/*.abf -o verdicts.csv
    """
    import pandas as pd

    judged = [_judged_table(p) if _is_table(p) else _judged_recordings(p) for p in files]
    if output is not None:
        from cleo_like.core.files import atomic_path

        with atomic_path(output) as temporary:
            pd.concat(judged, ignore_index=True).to_csv(temporary, index=False)
        click.echo(f"all verdicts in {output}")


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".parquet")


def _judged_table(path: Path) -> Any:
    """Print what is out of range in a feature table; give all verdicts."""
    from cleo_like.features import FeatureTable
    from cleo_like.features.qc import range_table

    table = FeatureTable.read(path)
    verdicts = range_table(table.frame)
    verdicts.insert(0, "cell_id", table.frame["cell_id"].reindex(verdicts["row"]).to_numpy())
    failed = verdicts[verdicts["verdict"] == "fail"]
    unknown = int((verdicts["verdict"] == "unknown").sum())
    good = len(table) - failed["row"].nunique()
    click.echo(f"{path}: {good} of {len(table)} cells in range, {unknown} values missing")
    for cell_id, name, reason in failed[["cell_id", "feature", "reason"]].itertuples(
        index=False
    ):
        click.echo(f"  {cell_id}: {name} {reason}")
    return verdicts


def _judged_recordings(path: Path) -> Any:
    """Print the verdict of each cell and its failing sweeps; give all verdicts."""
    import pandas as pd

    from cleo_like.features.qc import quality
    from cleo_like.io import read_all

    found = [quality(recording) for recording in read_all(path)]
    for cell in found:
        click.echo(f"{path}: {cell!r}")
        for sweep in cell.sweeps:
            for check in sweep.failures:
                click.echo(f"  sweep {sweep.number}: {check.name}: {check.reason}")
    return pd.concat([cell.table() for cell in found], ignore_index=True)


@main.command()
@click.option("-o", "--out", default="demo", show_default=True, type=click.Path(path_type=Path))
@click.option("--picture", default=None, help="Your own picture (default: a photograph).")
@click.option("--seed", default=1, show_default=True, help="Seed of the recording noise.")
def demo(out: Path, picture: str | None, seed: int) -> None:
    """Draw a photograph with neurons and record steps; ABF, NWB and a page in OUT.

    \b
    Example:
      cleo-like demo --picture cat.png -o cat
    """
    from cleo_like.report.demo import run_demo

    page = run_demo(out, picture=picture, seed=seed, say=click.echo)
    click.echo(f"\nLook at {page}")


def _protocol(text: str) -> Protocol:
    """Read a protocol from a file, or make it from one line of text."""
    from cleo_like.io import read_protocol
    from cleo_like.stimuli import parse_protocol

    path = Path(text)
    if path.suffix.lower() in _STIMULUS_SUFFIXES or path.is_file():
        return read_protocol(path)
    return parse_protocol(text)


def _write_recording(recording: Recording, out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Write one recording in each format; NWB files get the names that DANDI wants."""
    from cleo_like.io import dandi_path, write

    names = {
        kind: dandi_path(recording) if kind == "nwb" else f"{recording.cell.id}.{kind}"
        for kind in formats
    }
    return [write(recording, out / name) for name in names.values()]


def _save_figure(figure: Any, output: Path) -> None:
    from cleo_like.core.files import atomic_path

    with atomic_path(output) as temporary:
        figure.savefig(temporary, dpi=150)
    click.echo(f"figure in {output}")


_add_stimulus_commands()
