"""Read a large NWB file over the network, without all its bytes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cleo_like.core.errors import CleoLikeError, FileFormatError, UnsupportedError
from cleo_like.io.nwb.read import read_nwb
from cleo_like.io.nwb.source.streamed import Streamed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleo_like.core.recording import Recording
    from cleo_like.io.dandi.asset import Asset


def read_streamed(asset: Asset) -> list[Recording]:
    """Read every electrode of a file in the archive, fetching only what is read.

    Parameters
    ----------
    asset : Asset
        The file; of its samples those of the intracellular series are fetched.

    Raises
    ------
    UnsupportedError
        ``remfile`` is not installed.
    FileFormatError
        It cannot be read, or is no NWB file.
    """
    try:
        import remfile
    except ImportError as error:
        msg = "streaming needs the package remfile: pip install 'cleo_like[dandi]'"
        raise UnsupportedError(msg) from error

    name = asset.path.rsplit("/", 1)[-1]
    digest = f"sha256:{asset.sha256}" if asset.sha256 is not None else None
    with _said(f"{asset.dandiset}/{asset.path}"):
        file = remfile.File(asset.url)
        if asset.size and file.length != asset.size:
            msg = (
                f"{asset.dandiset}/{asset.path} has {file.length} bytes, where its list says "
                f"{asset.size}: it was replaced since it was listed; list again"
            )
            raise FileFormatError(msg)
        return read_nwb(Streamed(name=name, file=file, digest=digest))


@contextmanager
def _said(where: str) -> Iterator[None]:
    """Turn what remfile raises into an error that says where; it raises plain exceptions."""
    import requests

    try:
        yield
    except CleoLikeError:
        raise
    except (requests.RequestException, OSError, ValueError, KeyError) as error:
        msg = f"{where} cannot be streamed ({type(error).__name__}: {error})"
        raise FileFormatError(msg) from error
    except Exception as error:
        if type(error) is not Exception and type(error).__module__.split(".")[0] != "remfile":
            raise
        msg = f"{where} cannot be streamed ({error})"
        raise FileFormatError(msg) from error
