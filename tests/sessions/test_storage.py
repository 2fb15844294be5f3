"""What is written is read back; the command line writes it; nothing is overwritten unasked."""

import numpy as np
import pytest
from click.testing import CliRunner

from cleo_like.cli import main
from cleo_like.core.errors import ExistingFileError, FileFormatError, InputError
from cleo_like.sessions import InSilicoCache, write_session

TABLES = ("cell_specimen_table", "dff_traces", "events", "demixed_traces", "neuropil_traces",
          "corrected_fluorescence_traces", "stimulus_presentations", "stimulus_templates", "roi_masks",
          "motion_correction", "tuning")  # fmt: skip
PLAN = """
[task]
duration = "30 s"
grey_before = "3 s"
grey_after = "2 s"
[images]
n = 3
[plane]
n_cells = 5
shape = [64, 64]
field = "100 um"
"""


def same(left, right):
    assert list(left.columns) == list(right.columns)
    assert left.index.equals(right.index)
    assert left.index.name == right.index.name
    for name in left:
        for one, other in zip(left[name], right[name], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def folder(session, tmp_path_factory):
    where = tmp_path_factory.mktemp("session")
    write_session(session, where)
    return where


def test_every_table_comes_back(session, folder):
    cache = InSilicoCache.from_local(folder)
    memory = InSilicoCache.of_sessions([session])
    for call in ("get_ophys_session_table", "get_ophys_experiment_table", "get_ophys_cells_table",
                 "get_behavior_session_table"):  # fmt: skip
        read, made = getattr(cache, call)(), getattr(memory, call)()
        assert list(read.columns) == list(made.columns)
        assert read.index.equals(made.index)
        known = made.notna().to_numpy()
        pairs = zip(read.to_numpy()[known], made.to_numpy()[known], strict=True)
        assert all(str(one) == str(other) for one, other in pairs)
        assert read.isna().to_numpy()[~known].all()
    row = cache.get_ophys_session_table().loc[session.ophys_session_id]
    for key in row["ophys_experiment_id"]:
        read, made = cache.get_behavior_ophys_experiment(key), session.experiments[key]
        for name in TABLES:
            same(getattr(read, name), getattr(made, name))
        assert dict(read.metadata) == dict(made.metadata)
        assert np.array_equal(read.max_projection, made.max_projection)
        assert np.allclose(read.ophys_timestamps, made.ophys_timestamps, atol=1e-9)
        assert all(map(np.array_equal, read.truth.spike_times, made.truth.spike_times))


def test_the_names_of_the_sdk_open_it_too(folder):
    for call in (InSilicoCache.from_s3_cache, InSilicoCache.from_local_cache):
        cache = call(cache_dir=folder, columns="end_time", use_static_cache=True)
        key = cache.get_ophys_experiment_table().index[0]
        assert "end_time" in cache.get_behavior_ophys_experiment(key).stimulus_presentations


def test_nwb_is_valid(folder):
    from pynwb import validate

    for path in folder.rglob("*.nwb"):
        assert validate(path=path) == []


def test_a_folder_of_sessions_is_one_cache(session, folder, small_plan, tmp_path):
    from cleo_like.sessions import simulate_session

    other = simulate_session(small_plan(seed=9, planes=small_plan().planes[:1]))
    for name, one in (("one", session), ("two", other)):
        write_session(one, tmp_path / name, tables=False)
    cache = InSilicoCache.from_local(tmp_path)
    assert len(cache.get_ophys_session_table()) == 2
    assert len(cache.get_ophys_experiment_table()) == 3
    assert cache.get_ophys_cells_table().index.is_unique
    write_session(other, tmp_path / "three", tables=False)
    with pytest.raises(InputError, match="same identifier"):
        InSilicoCache.from_local(tmp_path)


def test_one_seed_the_same_bytes_of_every_table(session, folder, tmp_path):
    write_session(session, tmp_path)
    for path in folder.rglob("*"):
        if path.suffix in {".csv", ".json", ".parquet"}:
            assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes()


def test_nothing_is_replaced_unasked(session, folder):
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(ExistingFileError):
        write_session(session, folder)
    assert before == {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_what_is_no_session_is_told(tmp_path, folder):
    with pytest.raises(InputError, match="no session"):
        InSilicoCache.from_local(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        InSilicoCache.from_local(tmp_path / "none")
    (tmp_path / "session.json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"session\.json"):
        InSilicoCache.from_local(tmp_path)
    (tmp_path / "session.json").write_bytes((folder / "session.json").read_bytes())
    with pytest.raises(FileFormatError, match="missing"):
        InSilicoCache.from_local(tmp_path)


def test_the_command_line(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    call = ["session", "--config", str(tmp_path / "plan.toml"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "out").rglob("*.nwb"))) == 1
    (figure,) = (tmp_path / "out").rglob("*.png")
    assert figure.stat().st_size > 10_000
    assert not list((tmp_path / "out").rglob("*.part*"))
    again = CliRunner().invoke(main, call)
    assert again.exit_code != 0
    assert "--overwrite" in again.output
    assert (
        CliRunner()
        .invoke(main, [*call, "--overwrite", "--no-figures", "--no-tables"])
        .exit_code
        == 0
    )
    shown = CliRunner().invoke(
        main, ["session", "show", str(tmp_path / "out"), "-o", str(tmp_path / "f.png")]
    )
    assert shown.exit_code == 0, shown.output
    assert "5 ROIs" in shown.output
    assert "40 flashes of 3 pictures" in shown.output
    (nwb,) = (tmp_path / "out").rglob("*.nwb")
    assert "truth" in CliRunner().invoke(main, ["session", "show", str(nwb)]).output


@pytest.mark.parametrize(("text", "told"), [
    ("sed = 1", "did you mean 'seed'"), ("[task]\nduration = 3", "no unit"), ("= 3", "not TOML"),
])  # fmt: skip
def test_mistakes_in_a_plan_are_one_line(tmp_path, text, told):
    (tmp_path / "plan.toml").write_text(text)
    done = CliRunner().invoke(
        main, ["session", "--config", str(tmp_path / "plan.toml"), "-o", str(tmp_path / "o")]
    )
    assert done.exit_code != 0
    assert told in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "o").exists()
