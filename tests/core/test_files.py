"""Files appear whole or not at all."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from cleo_like.core import ExistingFileError, OutputError
from cleo_like.core.files import atomic_path, check_output, together


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    final = tmp_path / "a.abf"
    final.write_text("old")
    with pytest.raises(type(error)), atomic_path(final) as temporary:
        temporary.write_text("half")
        raise error
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


def test_folders_are_made_and_the_suffix_is_kept(tmp_path):
    with atomic_path(tmp_path / "new" / "b.nwb") as temporary:
        assert temporary.suffix == ".nwb"
        temporary.write_text("whole")
    assert (tmp_path / "new" / "b.nwb").read_text() == "whole"


# several files together


def write_two(folder, text, *, overwrite=False, fail=None):
    with together():
        for name in ("a.txt", "b.txt"):
            with atomic_path(folder / name, overwrite=overwrite) as temporary:
                temporary.write_text(text)
        if fail is not None:
            raise fail


def contents(folder):
    return {p.name: p.read_text() for p in folder.iterdir()}


def test_files_written_together_appear_together(tmp_path):
    with together():
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert contents(tmp_path) == {"a.txt": "whole"}


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_none_appears_when_one_fails(tmp_path, error):
    with pytest.raises(type(error)):
        write_two(tmp_path, "half", fail=error)
    assert contents(tmp_path) == {}
    write_two(tmp_path, "old")
    with pytest.raises(type(error)):
        write_two(tmp_path, "half", overwrite=True, fail=error)
    assert contents(tmp_path) == {"a.txt": "old", "b.txt": "old"}
    write_two(tmp_path, "new", overwrite=True)
    assert contents(tmp_path) == {"a.txt": "new", "b.txt": "new"}


@pytest.mark.parametrize("links", [True, False], ids=["links", "a file system without links"])
def test_a_failing_rename_puts_the_others_back(tmp_path, monkeypatch, links):
    write_two(tmp_path, "old")
    replace = Path.replace

    def fail(self, target):
        if Path(target).name == "b.txt" and self.suffix != ".kept":
            raise OSError("gone")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    with pytest.raises(OSError, match="gone"):
        write_two(tmp_path, "new", overwrite=True)
    assert contents(tmp_path) == {"a.txt": "old", "b.txt": "old"}


def _no_links(*_):
    raise OSError("no links here")


@pytest.mark.parametrize("links", [True, False], ids=["links", "a file system without links"])
def test_a_file_that_came_to_exist_meanwhile_stays(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    with (
        pytest.raises(ExistingFileError, match=r"b\.txt exists already; it is not replaced"),
        together(),
    ):
        for name in ("a.txt", "b.txt"):
            with atomic_path(tmp_path / name, overwrite=False) as temporary:
                temporary.write_text("new")
        (tmp_path / "b.txt").write_text("somebody else's")
    assert contents(tmp_path) == {"b.txt": "somebody else's"}


def test_two_files_of_one_name_are_refused(tmp_path):
    with pytest.raises(OutputError, match="two files would have the same name"), together():
        for _ in range(2):
            with atomic_path(tmp_path / "a.txt") as temporary:
                temporary.write_text("x")
    assert contents(tmp_path) == {}


def test_a_temporary_file_needs_no_second_one(tmp_path):
    with atomic_path(tmp_path / "a.txt") as outer, atomic_path(outer) as inner:
        assert inner == outer
        inner.write_text("whole")
    assert contents(tmp_path) == {"a.txt": "whole"}


def test_a_name_as_long_as_the_system_allows(tmp_path):
    name = "x" * 251 + ".txt"
    with atomic_path(tmp_path / name) as temporary:
        temporary.write_text("whole")
    assert contents(tmp_path) == {name: "whole"}


# outputs are refused before the work


def test_outputs_that_cannot_be_written(tmp_path):
    there = tmp_path / "a.txt"
    there.write_text("old")
    assert check_output(tmp_path / "new" / "deep" / "b.txt") == tmp_path / "new/deep/b.txt"
    assert not (tmp_path / "new").exists()
    with pytest.raises(ExistingFileError, match=r"exists already; .* give overwrite=True"):
        check_output(there)
    with pytest.raises(FileExistsError):  # the usual class catches it too
        check_output(there)
    assert check_output(there, overwrite=True) == there
    with pytest.raises(OutputError, match="is a folder; give the name of a file"):
        check_output(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match=r"a\.txt is a file, so that .* cannot be a folder"):
        check_output(there / "b.txt")
    with pytest.raises(OutputError, match="cannot write"):
        check_output(tmp_path / ("x" * 300))
    there.chmod(0o444)
    with pytest.raises(OutputError, match="write-protected"):
        check_output(there, overwrite=True)


def test_a_folder_that_may_not_be_written_to(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match=r"cannot write in the folder .*: Permission denied"):
        check_output(tmp_path / "a.txt")


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_a_file_has_the_rights_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_path(tmp_path / "ours") as temporary:
            temporary.write_text("x")
        (tmp_path / "theirs").write_text("x")
    finally:
        os.umask(before)
    ours, theirs = (stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("ours", "theirs"))
    assert ours == theirs == 0o666 & ~mask
