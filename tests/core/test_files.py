"""Files appear whole or not at all."""

import pytest

from cleo_like.core.files import atomic_path


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
