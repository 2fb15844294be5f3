"""A file of any size, whole or not at all, although HDF5 does not survive a full disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from cleo_like.core.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from pynwb import NWBFile


class _Kept(io.RawIOBase):
    """A file that never fails in the hands of HDF5, which crashes when one does.

    The first failure is kept; what is written after it goes nowhere, so that HDF5 comes to
    its end, and the caller can raise the failure.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self.failure: BaseException | None = None

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any, /) -> int | None:
        return self._file.readinto(buffer)

    def write(self, data: Any, /) -> int:
        size = len(data)
        if self.failure is None:
            left = memoryview(data)
            try:
                while left:
                    left = left[self._file.write(left) :]
            except BaseException as error:  # noqa: BLE001 - raised by `save` after HDF5's end
                self.failure = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        if self.failure is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self.failure = error
        return 0 if size is None else size

    def close(self) -> None:
        self._file.close()
        super().close()


def save(nwbfile: NWBFile, path: Path, *, overwrite: bool) -> None:
    """Write an NWB file; its movies are read, or rendered, a few frames at a time.

    Raises
    ------
    OSError
        The disk is full, or fails.
    """
    import h5py
    import pynwb

    with atomic_path(path, overwrite=overwrite) as temporary:
        kept = _Kept(temporary)
        try:
            with h5py.File(kept, "w") as file, pynwb.NWBHDF5IO(file=file, mode="w") as out:
                out.write(nwbfile)
        except BaseException as error:
            if kept.failure is not None:
                raise kept.failure from error
            raise
        finally:
            kept.close()
        if kept.failure is not None:
            raise kept.failure
