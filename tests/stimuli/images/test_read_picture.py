"""Pictures of every kind come out as the same grey values."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cleo_like.core.errors import CleoLikeError, FileFormatError, InputError
from cleo_like.stimuli.images.read import read_grey

RAMP = np.linspace(0, 255, 60).round().astype(np.uint8).reshape(6, 10)


@pytest.fixture
def colours() -> np.ndarray:
    """Random 8-bit RGB of 6 x 10."""
    return np.random.default_rng(1).integers(0, 256, (6, 10, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "mode", ["L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "F", "I"]
)
def test_a_grey_picture_is_the_same_in_every_mode(mode):
    values = read_grey(Image.fromarray(RAMP).convert(mode)).values
    scale = {"F": 1.0, "I": 65535.0}.get(mode, 255.0)
    assert values == pytest.approx(RAMP / scale, abs=1e-12)


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "LAB"])
def test_other_colour_spaces_differ_by_their_rounding_alone(mode):
    values = read_grey(Image.fromarray(RAMP).convert("RGB").convert(mode)).values
    assert values == pytest.approx(RAMP / 255, abs=1.5 / 255)


def test_one_bit_is_black_and_white():
    bits = np.array([[True, False], [False, True]])
    assert np.array_equal(read_grey(Image.fromarray(bits)).values, bits.astype(float))
    assert np.array_equal(read_grey(bits).values, bits.astype(float))


def test_sixteen_bits_stay_sixteen_bits(tmp_path):
    fine = (20_000 + np.arange(60, dtype=np.uint16)).reshape(6, 10)  # within one 8-bit level
    for suffix in (".png", ".tif"):
        path = tmp_path / f"fine{suffix}"
        Image.fromarray(fine).save(path)
        assert read_grey(path).values == pytest.approx(fine / 65535, abs=1e-12)
    assert read_grey(fine).values == pytest.approx(fine / 65535, abs=1e-12)


def test_floats_are_taken_as_they_are(tmp_path):
    values = np.linspace(-3, 7, 60, dtype=np.float32).reshape(6, 10)
    path = tmp_path / "f.tif"
    Image.fromarray(values).save(path)
    assert np.array_equal(read_grey(path).values, values.astype(float))


def test_colours_are_weighted_to_luma_without_rounding(colours):
    expected = colours @ np.array([0.299, 0.587, 0.114]) / 255
    assert read_grey(Image.fromarray(colours)).values == pytest.approx(expected, abs=1e-12)
    # yellow is bright to the eye: 226 of 255, where the mean of the channels is 170
    yellow = read_grey(np.array([[[255, 255, 0]]], dtype=np.uint8)).values[0, 0]
    assert yellow * 255 == pytest.approx(225.93, abs=1e-9)


@pytest.mark.parametrize("background", [0.0, 0.5, 1.0])
def test_transparent_pixels_show_the_background(background):
    rgba = np.zeros((1, 3, 4), dtype=np.uint8)
    rgba[0, :, :3] = 204
    rgba[0, :, 3] = [255, 0, 51]
    expected = [0.8, background, 0.2 * 0.8 + 0.8 * background]
    assert read_grey(rgba, background=background).values[0] == pytest.approx(expected)
    image = Image.fromarray(rgba)
    assert read_grey(image, background=background).values[0] == pytest.approx(expected)
    grey_alpha = rgba[..., [0, 3]]
    assert read_grey(grey_alpha, background=background).values[0] == pytest.approx(expected)


def test_a_transparent_palette_entry_shows_the_background(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), mode=None).convert("P")
    image.putpalette([255, 255, 255, 255, 255, 255] + [0] * 762)
    path = tmp_path / "p.gif"
    image.save(path, transparency=1)
    assert read_grey(path, background=0.25).values[0] == pytest.approx([1.0, 0.25])


def _png(pixels, colours, key, bits=16):
    """A PNG with one transparent value, chunk by chunk (Pillow writes none of 16 or 4 bits)."""

    def chunk(kind, data):
        size, crc = struct.pack(">I", len(data)), struct.pack(">I", zlib.crc32(kind + data))
        return size + kind + data + crc

    height, width = pixels.shape[:2]
    width *= max(8 // bits, 1)
    packed = pixels.astype(">u2") if bits == 16 else pixels
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head),
            chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)),
            chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""),
        ]
    )  # fmt: skip


@pytest.mark.parametrize("background", [0.0, 0.5, 1.0])
def test_a_transparent_grey_of_16_bits_shows_the_background(tmp_path, background):
    path = tmp_path / "deep.png"
    path.write_bytes(_png(np.array([[0, 100, 101, 65535]]), 0, (100,)))
    values = read_grey(path, background=background).values
    assert values[0] == pytest.approx([0, background, 101 / 65535, 1])


def test_a_transparent_grey_of_4_bits_shows_the_background(tmp_path):
    path = tmp_path / "shallow.png"
    path.write_bytes(_png(np.array([[0x05, 0xF0]], dtype=np.uint8), 0, (5,), bits=4))
    assert read_grey(path, background=0.5).values[0] == pytest.approx([0.0, 0.5, 1.0, 0.0])


def test_a_transparent_colour_of_16_bits_is_refused(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(_png(np.full((1, 2, 3), 40_000), 2, (40_000,) * 3))
    with pytest.raises(FileFormatError, match="16 bits per colour"):
        read_grey(path)


def test_a_transparent_colour_shows_the_background(tmp_path):
    path = tmp_path / "key.png"
    Image.fromarray(np.array([[[10, 20, 30], [200, 200, 200]]], dtype=np.uint8)).save(
        path, transparency=(10, 20, 30)
    )
    assert read_grey(path, background=0.0).values[0] == pytest.approx([0.0, 200 / 255])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_exif_orientation_is_undone(tmp_path, orientation, suffix):
    # EXIF says where row 0 and column 0 of the stored pixels are in the upright picture
    undo = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
        5: np.transpose, 6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.transpose(a), 2), 8: np.rot90,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    Image.fromarray(RAMP).save(path, exif=exif)
    assert read_grey(path).values == pytest.approx(undo[orientation](RAMP) / 255)


def test_jpeg_cmyk_is_not_inverted(tmp_path):
    path = tmp_path / "c.jpg"
    Image.fromarray(np.kron(RAMP, np.ones((8, 8), np.uint8))).convert("CMYK").save(
        path, quality=95
    )
    values = read_grey(path).values[4::8, 4::8]
    assert np.corrcoef(values.ravel(), RAMP.ravel())[0, 1] > 0.999


def test_of_several_frames_the_first_is_taken(tmp_path):
    path = tmp_path / "two.gif"
    Image.fromarray(RAMP).save(path, save_all=True, append_images=[Image.fromarray(255 - RAMP)])
    assert read_grey(path).values == pytest.approx(RAMP / 255, abs=1 / 255)


def test_the_hash_is_that_of_the_file_and_of_the_pixels(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(RAMP).save(path)
    assert read_grey(path).hash == read_grey(str(path)).hash
    assert read_grey(RAMP).hash != read_grey(RAMP[::-1]).hash


def test_what_is_missing_or_no_picture_is_said(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.png: it does not exist"):
        read_grey(tmp_path / "nothing.png")
    with pytest.raises(InputError, match="it is a folder"):
        read_grey(tmp_path)
    for name, content in (("empty.png", b""), ("text.jpg", b"not a picture at all")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=f"{name} is not a picture"):
            read_grey(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".tif", ".bmp", ".webp"])
def test_a_truncated_picture_is_an_error(tmp_path, suffix, colours):
    path = tmp_path / f"whole{suffix}"
    Image.fromarray(np.kron(colours, np.ones((9, 9, 1), np.uint8))).save(path)
    content = path.read_bytes()
    for part in (0.1, 0.5, 0.8):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(FileFormatError, match="cut"):
            read_grey(cut)


@settings(max_examples=150)
@given(
    suffix=st.sampled_from(["png", "jpeg", "gif", "tiff", "bmp", "webp"]),
    position=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
)
def test_a_damaged_byte_gives_a_picture_or_a_clear_error(
    tmp_path_factory, suffix, position, value
):
    path = tmp_path_factory.mktemp("damaged") / f"d.{suffix}"
    Image.fromarray(np.kron(RAMP, np.ones((4, 4), np.uint8))).save(path)
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] = value
    path.write_bytes(bytes(content))
    try:
        grey = read_grey(path).values
    except CleoLikeError as error:
        grey, said = None, str(error)
        assert path.name in said
    if grey is not None:
        assert grey.ndim == 2
        assert np.issubdtype(grey.dtype, np.floating)
        assert 0 <= grey.min() <= grey.max() <= 1


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "big.png"
    Image.fromarray(np.zeros((60, 60), np.uint8)).save(path)
    for limit in (3000, 1000):  # Pillow warns above the limit, and raises above twice of it
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(InputError, match=r"big\.png has more pixels .* scale it down"):
            read_grey(path)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.array([[0.0, np.nan]]), r"1 pixels of the array are not finite .* row 0, column 1"),
        (np.array([[0.0, np.inf]]), "not finite"),
        (np.array([[0j, 1j]]), "real numbers, got an array of complex128"),
        (np.array([["a"]]), "real numbers"),
        (np.zeros((0, 5)), "no pixel"),
        (np.zeros(5), "shape"),
        (np.zeros((2, 2, 5)), "1 to 4 channels"),
        (np.zeros((2, 2, 2, 2)), "shape"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, match):
    with pytest.raises(InputError, match=match):
        read_grey(array)


def test_nan_in_a_float_file_is_an_error(tmp_path):
    path = tmp_path / "n.tif"
    Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32)).save(path)
    with pytest.raises(InputError, match=r"n\.tif are not finite"):
        read_grey(path)


def test_background_must_be_grey():
    with pytest.raises(InputError, match="background must be a grey value"):
        read_grey(RAMP, background=255)
