"""Read a large NWB file over the network, without all its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core.errors import FileFormatError, UnsupportedError
from cleo_like.io.nwb.read import read_nwb
from cleo_like.io.nwb.source.streamed import Streamed

if TYPE_CHECKING:
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
    import requests

    name = asset.path.rsplit("/", 1)[-1]
    try:
        file = remfile.File(asset.url)
    except (requests.RequestException, OSError, ValueError, KeyError) as error:
        msg = f"{asset.dandiset}/{asset.path} cannot be streamed ({type(error).__name__})"
        raise FileFormatError(msg) from error
    digest = f"sha256:{asset.sha256}" if asset.sha256 is not None else None
    return read_nwb(Streamed(name=name, file=file, digest=digest))
