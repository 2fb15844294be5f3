"""ATF through our reader, pyabf and myokit, and its limits."""

from __future__ import annotations

import attrs
import numpy as np
import pyabf
import pytest

from cleo_like import Protocol
from cleo_like.core import FileFormatError, InputError
from cleo_like.io import describe, read, read_protocol, sidecar_path, write

HEAD = 'ATF\t1.0\r\n1\t3\r\n"Comment=x"\r\n"Time (s)"\t"Trace #1 (mV)"\t"Trace #2 (mV)"\r\n'


def test_everything_comes_back(recording, tmp_path):
    back = read(write(recording, tmp_path / "c.atf"))
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        assert np.abs(ours.response - theirs.response).max() < 1e-9  # 8 digits of 80 mV
        assert np.array_equal(ours.command, theirs.command)
    assert back.protocol == recording.protocol
    assert back.truth == recording.truth


def test_pyabf_and_myokit_read_the_stimulus(picture, tmp_path):
    from myokit.formats.axon import AtfFile

    path = write(picture, tmp_path / "p.atf")
    atf = pyabf.ATF(path)
    assert (atf.sweepCount, atf.channelCount) == (5, 1)
    for number in range(5):
        atf.setSweep(number)
        assert np.abs(atf.sweepY * 1e-12 - picture.waveforms[number]).max() < 1e-18 * 2
        assert atf.sweepLabelY == f"Trace #{number + 1} (pA)"
    columns = list(AtfFile(str(path)).items())
    assert len(columns) == 6
    for (_, values), waveform in zip(columns[1:], picture.waveforms, strict=True):
        assert np.abs(np.array(values) * 1e-12 - waveform).max() < 1e-18


def test_pyabf_reads_both_channels_of_a_recording(recording, tmp_path):
    atf = pyabf.ATF(write(recording, tmp_path / "c.atf"))
    assert (atf.sweepCount, atf.channelCount) == (9, 2)
    atf.setSweep(3, channel=0)
    assert np.abs(atf.sweepY * 1e-3 - recording.sweeps[3].response).max() < 1e-8
    atf.setSweep(3, channel=1)
    assert np.abs(atf.sweepY * 1e-12 - recording.sweeps[3].command).max() < 1e-16


@pytest.mark.parametrize("rate", [22_050.0, 44_100.0, 250_000.0, 12_345.678])
def test_the_rate_comes_back_exactly(picture, tmp_path, rate):
    protocol = attrs.evolve(picture, rate=rate)
    path = write(protocol, tmp_path / "p.atf")
    sidecar_path(path).unlink()
    assert read_protocol(path).rate == rate


def test_a_time_column_alone_gives_the_rate(tmp_path):
    rows = [f"{i / 22050:.6g}\t-70\t-71" for i in range(200)]
    path = tmp_path / "other.atf"
    path.write_text(HEAD + "\r\n".join(rows))
    back = read(path)
    assert back.sweeps[0].rate == pytest.approx(22050, rel=1e-4)
    assert back.sweeps[1].response[0] == pytest.approx(-0.071)
    assert "no trace of a command" in back.findings[0]


def test_one_sample_and_one_sweep(tmp_path):
    tiny = Protocol(waveforms=np.array([[1e-11]]), rate=2e4, family="arbitrary")
    assert read_protocol(write(tiny, tmp_path / "p.atf")) == tiny


def test_without_sidecar_the_family_remains(picture, tmp_path):
    path = write(picture, tmp_path / "p.atf")
    sidecar_path(path).unlink()
    assert read_protocol(path).family == "picture"
    assert "stimulus file" in str(describe(path))
    with pytest.raises(FileFormatError, match="read_protocol"):
        read(path)


def test_limits(picture, recording, tmp_path):
    wide = attrs.evolve(picture, waveforms=np.zeros((8000, 4)), epochs=(), picture=None)
    with pytest.raises(
        FileFormatError, match="need 8000 columns; an ATF line has room for 4095"
    ):
        write(wide, tmp_path / "p.atf")
    broken = recording.sweeps[0].response.copy()
    broken[7] = np.nan
    sweeps = [attrs.evolve(recording.sweeps[0], response=broken), *recording.sweeps[1:]]
    with pytest.raises(InputError, match="Vm is not finite in sweep 0 at sample 7"):
        write(attrs.evolve(recording, sweeps=sweeps), tmp_path / "c.atf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ABF\t1.0\r\n", "not an ATF file: it starts with 'ABF 1.0'"),
        ("ATF\t1.0\r\nx\ty\r\n", "two counts"),
        (HEAD, "truncated or damaged"),
        (HEAD + "0\t1\t2\r\n0.1\t1\r\n", "damaged or truncated row"),
        (HEAD + "0\t1\r\n0.1\t1\r\n", "promises 3 columns, its rows have 2"),
        (HEAD + "0\t1\t2\r\n0.1\t1\t2\r\n5\t1\t2\r\n", "not evenly spaced"),
        (HEAD.replace("mV", "V/V") + "0\t1\t2\r\n0.1\t1\t2\r\n", "no trace in mV or pA"),
        (HEAD + "0\t1\t2\r\n", "its rate is unknown"),
    ],
)
def test_damaged_files_say_so(tmp_path, text, message):
    path = tmp_path / "bad.atf"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=message) as caught:
        read(path)
    assert "bad.atf" in str(caught.value)


def test_a_cut_file_is_noticed_at_a_line_end(picture, tmp_path):
    path = write(picture, tmp_path / "p.atf")
    lines = path.read_bytes().split(b"\r\n")
    path.write_bytes(b"\r\n".join(lines[:-100]) + b"\r\n")
    with pytest.raises(FileFormatError, match="promises 1000 rows and has 901"):
        read_protocol(path)
