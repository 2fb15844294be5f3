"""One table from many files: here, or on a cluster."""

from __future__ import annotations

import pytest

from cleo_like.atlas.gather import gather
from cleo_like.core.errors import FileFormatError, InputError
from cleo_like.io import write
from tests.dandi.conftest import cell


@pytest.fixture
def files(tmp_path):
    return [write(cell(f"c{k}", seed=k), tmp_path / f"c{k}.nwb") for k in range(3)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_table(files, tmp_path):
    distributed = pytest.importorskip("distributed")
    gather(files, output=tmp_path / "here.csv", progress=False)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as c:
        gather(files, output=tmp_path / "there.csv", dask=c.scheduler_address, progress=False)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_nothing_to_measure(tmp_path):
    with pytest.raises(InputError, match="nothing to measure"):
        gather([], output=tmp_path / "t.csv")
    with pytest.raises(FileFormatError, match="no manifest"):
        gather([], cache=tmp_path, output=tmp_path / "t.csv")
    with pytest.raises(InputError, match="csv"):
        gather([], output=tmp_path / "t.doc")
