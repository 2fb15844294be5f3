"""Movies as TIFF and OME-TIFF: values, metadata, other people's files, damaged ones."""

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cleo_like.core import (
    ArrayFrames,
    ExistingFileError,
    FileFormatError,
    FrameSource,
    InputError,
    OutputError,
)
from cleo_like.io import ShortMovieWarning, read, read_all, read_tiff, write

PIXEL = (1.5e-6, 2e-6)


def movie(n=40, shape=(16, 24), dtype="int16", times=None, pixel_size=PIXEL):
    values = np.random.default_rng(1).integers(0, 3000, (n, *shape)).astype(dtype)
    times = np.arange(n) / 15 if times is None else times
    return ArrayFrames(frames=values, times=times, pixel_size=pixel_size)


@pytest.mark.parametrize("name", ["a.tif", "a.TIFF", "a.ome.tif"])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32", "uint8"])
def test_values_times_and_pixels_come_back(name, dtype, tmp_path):
    given_ = movie(dtype=dtype)
    back = read(write(given_, tmp_path / name))
    assert isinstance(back, FrameSource)
    assert back.shape == given_.shape
    assert back.dtype == given_.dtype
    np.testing.assert_array_equal(back[:], given_.frames)
    np.testing.assert_array_equal(back[5:31:7], given_.frames[5:31:7])
    np.testing.assert_allclose(back.times, given_.times, atol=1e-9)
    np.testing.assert_allclose(back.pixel_size, PIXEL)
    with tifffile.TiffFile(tmp_path / name) as file:
        assert len(file.pages) == 40
        assert file.is_ome == ("ome" in name)
        assert {page.compression for page in file.pages} == {1}  # suite2p misreads others
        np.testing.assert_array_equal(file.asarray(), given_.frames)


def test_times_that_are_not_regular_come_back(tmp_path):
    times = np.cumsum(np.linspace(0.05, 0.2, 40)) + 3
    for name in ("a.tif", "a.ome.tif"):
        back = read(write(movie(times=times), tmp_path / name))
        np.testing.assert_allclose(back.times, times, atol=1e-6)


def test_ome_metadata_are_in_the_terms_of_ome(tmp_path):
    path = write(movie(), tmp_path / "a.ome.tif")
    with tifffile.TiffFile(path) as file:
        text = file.ome_metadata
    for words in (
        'PhysicalSizeX="2.0',
        'PhysicalSizeY="1.5',
        'TimeIncrement="0.066',
        'SizeT="40"',
    ):
        assert words in text


@settings(max_examples=15)
@given(
    frames=arrays("<u2", st.tuples(st.integers(9, 12), st.integers(2, 9), st.integers(2, 9))),
    ome=st.booleans(),
)
def test_any_frames_come_back(frames, ome, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / ("a.ome.tif" if ome else "a.tif")
    write(ArrayFrames(frames=frames, times=np.arange(len(frames)) / 7), path)
    back = read(path)
    np.testing.assert_array_equal(back[:], frames)
    assert back.pixel_size is None


def test_short_movies_are_said(tmp_path):
    write(movie(n=24), tmp_path / "enough.tif")
    with pytest.warns(ShortMovieWarning, match="check_data_orientation"):
        write(movie(n=23), tmp_path / "short.tif")


def test_files_are_not_replaced(tmp_path):
    path = write(movie(), tmp_path / "a.tif")
    before = path.read_bytes()
    with pytest.raises(ExistingFileError):
        write(movie(), path)
    assert path.read_bytes() == before
    write(movie(n=50), path, overwrite=True)
    assert read(path).shape[0] == 50
    write(movie(n=50), tmp_path / "a.ome.tif")
    write(movie(n=51), tmp_path / "a.ome.tif", overwrite=True)
    foreign = tmp_path / "rig.tif"
    tifffile.imwrite(foreign, np.zeros((30, 8, 9), "u2"))
    with pytest.raises(OutputError, match="did not write"):
        write(movie(), foreign, overwrite=True)


class Breaks(ArrayFrames):
    """A movie that cannot be made beyond frame 32."""

    def __getitem__(self, frames):
        if frames.start >= 32:
            raise KeyboardInterrupt
        return super().__getitem__(frames)


def test_an_interrupted_write_leaves_nothing(tmp_path):
    whole = movie()
    with pytest.raises(KeyboardInterrupt):
        write(Breaks(frames=whole.frames, times=whole.times), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_movie_is_refused(tmp_path):
    with pytest.raises(InputError, match="a TIFF holds a movie"):
        write(np.zeros((30, 8, 9)), tmp_path / "a.tif")
    with pytest.raises(FileFormatError, match="float64"):
        write(movie(dtype="float64"), tmp_path / "a.tif")
    with pytest.raises(FileFormatError, match="no frame"):
        write(movie(n=0), tmp_path / "a.tif")
    path = write(movie(), tmp_path / "a.tif")
    with pytest.raises(FileFormatError, match="is a movie"):
        read_all(path)
    with pytest.raises(InputError, match="no electrode 'x'"):
        read(path, electrode="x")
    with pytest.raises(InputError, match="by number or slice"):
        read(path)[[3]]


def test_other_programs_files(tmp_path):
    x = np.random.default_rng(0).integers(0, 999, (30, 8, 9)).astype("u2")
    cases = {
        "plain": {}, "zlib": {"compression": "zlib", "predictor": True}, "tiled": {"tile": (16, 16)},
        "big endian": {"byteorder": ">"}, "big": {"bigtiff": True}, "imagej": {"imagej": True, "byteorder": ">"},
    }  # fmt: skip
    for name, options in cases.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", x, **options)
        back = read(tmp_path / f"{name}.tif")
        np.testing.assert_array_equal(back[3:17:2], x[3:17:2], err_msg=name)
        assert np.isnan(back.times).all()
        assert "does not tell" in back.notes[-1]
        known = read_tiff(tmp_path / f"{name}.tif", frame_rate="20 Hz")
        np.testing.assert_allclose(known.times, np.arange(30) / 20)


def test_channels_of_an_imagej_file(tmp_path):
    x = np.arange(30 * 2 * 8 * 9, dtype="u2").reshape(30, 2, 8, 9)
    path = tmp_path / "two.tif"
    tifffile.imwrite(
        path,
        x,
        imagej=True,
        metadata={"axes": "TCYX", "finterval": 0.1, "unit": "um"},
        resolution=(2, 4),
    )
    second = read_tiff(path, channel=1)
    np.testing.assert_array_equal(second[4:9], x[4:9, 1])
    np.testing.assert_allclose(second.times, np.arange(30) / 10)
    np.testing.assert_allclose(second.pixel_size, (0.25e-6, 0.5e-6))
    with pytest.raises(InputError, match="2 channel"):
        read_tiff(path, channel=2)


SCANIMAGE = (
    "SI.VERSION_MAJOR = 5\nSI.hRoiManager.scanFrameRate = 30.04\nSI.hChannels.channelSave = {}"
)


@pytest.mark.parametrize(
    ("given", "rate", "turns"),
    [
        ({"software": SCANIMAGE.format(1)}, 30.04, 1),
        ({"software": SCANIMAGE.format("[1;2]")}, 30.04, 2),
        ({"description": "state.configName='x'\rstate.acq.frameRate=3.91\r"}, 3.91, 1),
    ],
)
def test_frame_rate_and_channels_of_scanimage(tmp_path, given, rate, turns):
    path, x = tmp_path / "si.tif", np.arange(30 * 8 * 9, dtype="i2").reshape(30, 8, 9)
    tifffile.imwrite(path, x, metadata=None, **given)
    back = read(path)
    np.testing.assert_allclose(back.times, np.arange(30 // turns) / rate)
    np.testing.assert_array_equal(back[:], x[::turns])
    np.testing.assert_array_equal(
        read_tiff(path, channel=turns - 1)[3], x[3 * turns + turns - 1]
    )
    assert any("from ScanImage" in note for note in back.notes)


def test_channels_of_scanimage_that_end_at_different_frames(tmp_path):
    path = tmp_path / "si.tif"
    tifffile.imwrite(
        path, np.zeros((31, 8, 9), "i2"), metadata=None, software=SCANIMAGE.format("[1;2]")
    )
    with pytest.raises(FileFormatError, match="end at different frames"):
        read(path)


@pytest.mark.parametrize("axes", ["CTYX", "TCYX", "ZTYX", "CZTYX", "TZCYX"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_channels_and_planes_in_any_order_of_pages(tmp_path, axes, compression):
    sizes = {"C": 2, "Z": 3, "T": 20, "Y": 8, "X": 9}
    shape = tuple(sizes[axis] for axis in axes)
    x = np.arange(np.prod(shape), dtype="u2").reshape(shape)
    path = tmp_path / "x.ome.tif"
    tifffile.imwrite(path, x, metadata={"axes": axes}, ome=True, compression=compression)
    times_first = np.moveaxis(x, axes.index("T"), 0).reshape(20, -1, 8, 9)
    for channel in range(times_first.shape[1]):
        back = read_tiff(path, channel=channel)
        np.testing.assert_array_equal(back[:], times_first[:, channel])
        np.testing.assert_array_equal(back[-1], times_first[-1, channel])


def test_scanimage_without_a_rate(tmp_path):
    path = tmp_path / "si.tif"
    tifffile.imwrite(
        path, np.zeros((30, 8, 9), "i2"), metadata=None, software="SI.VERSION_MAJOR = 5"
    )
    back = read(path)
    assert np.isnan(back.times).all()
    assert any("without a frame rate" in note for note in back.notes)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("damage", ["half", "head", "text", "empty"])
def test_damaged_files(damage, tmp_path):
    path = write(movie(), tmp_path / "a.tif")
    whole = path.read_bytes()
    left = {
        "half": whole[: len(whole) // 2],
        "head": whole[:6],
        "text": b"II*\0" + b"x" * 99,
        "empty": b"",
    }[damage]
    bad = tmp_path / "bad.tif"
    bad.write_bytes(left)
    with pytest.raises(FileFormatError):
        read(bad)[:]


def test_colours_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((5, 8, 9, 3), "u1"), photometric="rgb")
    with pytest.raises(FileFormatError, match="pages of shape"):
        read(tmp_path / "rgb.tif")


@pytest.mark.data
def test_real_movies_are_read(data_dir):
    folder = data_dir / "movies"
    if not folder.is_dir():
        pytest.skip("no movies among the real recordings")
    sizes = {read(p).shape for p in folder.glob("*.tif")}
    assert sizes == {(1000, 128, 128), (20, 128, 256), (500, 64, 64)}
    clipped = read(folder / "sima_example_12bit_20frames.tif")
    assert clipped[:].max() == 4094
