"""Nouns are indexed, drawn, shown in a notebook and handed to other packages."""

from __future__ import annotations

import attrs
import matplotlib as mpl
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import InputError, PlaceError, UnknownNameError

mpl.use("Agg")


@pytest.fixture
def recording():
    """Five sweeps of 50 ms, the k-th at -70 + k mV and k * 10 pA, numbers from 10."""
    n, rate = 1000, 20e3
    command = np.zeros((5, n))
    command[:, 200:800] = 1e-11 * np.arange(5)[:, None]
    sweeps = [
        cl.Sweep(
            response=np.full(n, (-70 + k) * 1e-3), command=command[k], rate=rate,
            number=10 + k, start_time=k * 1.0,
        )
        for k in range(5)
    ]  # fmt: skip
    return cl.Recording(
        sweeps=sweeps,
        cell=cl.Cell(id="c<1>"),
        provenance=cl.Provenance(source="test"),
        truth=cl.GroundTruth(spike_times=[[], [], [0.01], [0.01, 0.02], []]),
        protocol=cl.Protocol(
            waveforms=command, rate=rate, family="long_square",
            epochs=[cl.Epoch(name="step", start=200, stop=800, levels=1e-11 * np.arange(5))],
        ),
    )  # fmt: skip


def test_a_recording_is_a_sequence_of_sweeps(recording):
    assert len(recording) == 5
    assert [s.number for s in recording] == [10, 11, 12, 13, 14]
    assert recording[-1] is recording.sweeps[4]
    assert recording.sweep(12) is recording[2]


def test_a_slice_takes_truth_and_protocol_with_it(recording):
    some = recording[3:1:-1]
    assert [s.number for s in some] == [13, 12]
    assert some.truth.spike_counts.tolist() == [2, 1]
    assert some.protocol.epoch("step").levels.tolist() == [3e-11, 2e-11]
    assert np.array_equal(some.protocol[0], recording[3].command)
    by_mask = recording[np.array([s.number > 12 for s in recording])]
    assert [s.number for s in by_mask] == [13, 14]
    nothing = recording[5:]
    assert len(nothing) == 0
    assert nothing.protocol is None


def test_a_place_or_number_that_is_not_there_is_said(recording):
    with pytest.raises(PlaceError, match="has 5 sweeps"):
        recording[5]
    with pytest.raises(IndexError):
        recording.protocol[-6]
    with pytest.raises(UnknownNameError, match="'14'"):
        recording.sweep(15)


def test_a_stretch_of_a_sweep_keeps_its_place_in_time(recording):
    sweep = recording[1]
    part = sweep.between("10 ms", "12 ms")
    assert part.n_samples == 40
    assert part.start_time == pytest.approx(1.01)
    assert np.array_equal(part.command, sweep.command[200:240])
    assert len(sweep.between("0 ms", "1 s")) == 1000
    with pytest.raises(InputError, match="lies between"):
        sweep.between("60 ms", "70 ms")


def test_a_recording_is_drawn_with_units_and_spikes(recording):
    response, command = recording.plot()
    assert response.get_ylabel() == "potential (mV)"
    assert command.get_ylabel() == "current (pA)"
    assert command.get_xlabel() == "time (ms)"
    marks = [line for line in response.lines if line.get_linestyle() == "None"]
    assert [len(line.get_xdata()) for line in marks] == [1, 2]
    assert marks[1].get_xdata().tolist() == pytest.approx([10.0, 20.0])
    assert marks[1].get_ydata().tolist() == pytest.approx([-67.0, -67.0])


def test_it_draws_into_axes_that_are_given(recording):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert recording[2].plot(axes)[0] is axes
    assert len(axes.lines) == 1
    assert recording[:1].plot(axes, spikes=[[0.001]])[0] is axes
    assert recording.protocol.plot(axes) is axes
    with pytest.raises(InputError, match="each of 5 sweeps, got 1"):
        recording.plot(axes, spikes=[[0.1]])


def test_a_notebook_shows_a_picture_and_text_stays_text(recording):
    for noun in (recording, recording[0], recording.protocol):
        page = noun._repr_html_()
        assert "data:image/png;base64," in page
        assert ("<table>" in page) is not isinstance(noun, cl.Sweep)  # it has nothing to say
    assert "c<1>" not in recording._repr_html_()
    assert "c&lt;1&gt;" in recording._repr_html_()
    assert "<img" not in recording[:0]._repr_html_()


def test_a_data_frame_has_a_row_for_each_sample_in_units_people_read(recording):
    frame = recording[1:3].to_pandas()
    assert list(frame) == ["sweep", "time_s", "response_mV", "command_pA"]
    assert len(frame) == 2000
    last = frame.iloc[-500]
    assert last.tolist() == pytest.approx([12, 500 / 20e3, -68.0, 20.0])
    commands = recording.protocol.to_pandas()
    assert commands.groupby("sweep")["command_pA"].max().tolist() == pytest.approx(
        [0, 10, 20, 30, 40]
    )


def test_xarray_is_in_si_and_says_so(recording):
    pytest.importorskip("xarray")
    data = recording.to_xarray()
    assert data.response.dims == ("sweep", "time")
    assert data.response.attrs["units"] == "V"
    assert float(data.command.sel(sweep=14).isel(time=500)) == pytest.approx(4e-11)
    assert float(data.time[1]) == pytest.approx(5e-5)


def test_through_neo_and_back(recording):
    pytest.importorskip("neo")
    back = cl.Recording.from_neo(recording.to_neo())
    assert back.cell.id == "c<1>"
    for ours, theirs in zip(recording, back, strict=True):
        assert theirs.number == ours.number
        assert theirs.rate == pytest.approx(ours.rate)
        assert theirs.start_time == pytest.approx(ours.start_time)
        np.testing.assert_allclose(theirs.response, ours.response, rtol=1e-12)
        np.testing.assert_allclose(theirs.command, ours.command, rtol=1e-12)
    spikes = recording.to_neo().segments[3].spiketrains[0]
    assert spikes.rescale("s").magnitude.tolist() == pytest.approx([3.01, 3.02])


def test_neo_keeps_the_clamp_mode(recording):
    """A voltage clamp came back as a current clamp with the command as its response."""
    pytest.importorskip("neo")
    clamped = [
        attrs.evolve(s, mode="voltage_clamp", response=s.command, command=s.response)
        for s in recording
    ]
    mixed = attrs.evolve(
        recording, sweeps=[recording[0], *clamped[1:]], protocol=None, truth=None
    )
    back = cl.Recording.from_neo(mixed.to_neo())
    assert [s.mode for s in back] == [s.mode for s in mixed]
    for ours, theirs in zip(mixed, back, strict=True):
        np.testing.assert_allclose(theirs.response, ours.response, rtol=1e-12)
        np.testing.assert_allclose(theirs.command, ours.command, rtol=1e-12)
    turned = cl.Recording.from_neo(mixed.to_neo(), mode="current_clamp")
    np.testing.assert_allclose(turned[1].response, mixed[1].command, rtol=1e-12)


def test_neo_signals_that_could_be_either_are_asked_for(recording):
    pytest.importorskip("neo")
    block = recording.to_neo()
    other = recording.to_neo().segments[0].analogsignals[0]
    other.name = "stimulus monitor"
    block.segments[0].analogsignals[0].name = "electrode"
    block.segments[0].analogsignals.append(other)
    with pytest.raises(InputError, match="say which is the response"):
        cl.Recording.from_neo(block)
    with pytest.raises(UnknownNameError, match="electrode"):
        cl.Recording.from_neo(block.segments[0], response="electrod")
    found = cl.Recording.from_neo(block.segments[0], response="electrode")
    assert found[0].response[0] == pytest.approx(-0.07)
    bare = attrs.evolve(recording[0], command=None)
    only = attrs.evolve(recording[:1], sweeps=[bare], protocol=None).to_neo()
    assert cl.Recording.from_neo(only)[0].command is None
    with pytest.raises(InputError, match="has no signal in A for voltage_clamp"):
        cl.Recording.from_neo(only, mode="voltage_clamp")


def test_through_pynapple(recording):
    pytest.importorskip("pynapple")
    found = recording.to_pynapple()
    assert found["response"].get(2.0, 2.05).d == pytest.approx(np.full(1000, -68.0))
    assert found["spikes"].t.tolist() == pytest.approx([2.01, 3.01, 3.02])
    assert len(found["sweeps"]) == 5


def test_what_pynapple_would_join_or_mix_is_refused(recording):
    """pynapple sorts and joins overlapping epochs with no more than a warning."""
    pytest.importorskip("pynapple")
    bare = attrs.evolve(recording, protocol=None, truth=None)
    with pytest.raises(InputError, match="no sweep to give to pynapple"):
        attrs.evolve(bare, sweeps=[]).to_pynapple()
    at = bare[0].start_time + bare[0].n_samples / bare[0].rate  # after its last sample
    touching = attrs.evolve(bare[1], start_time=at)
    assert len(attrs.evolve(bare, sweeps=[bare[0], touching]).to_pynapple()["response"])
    inside = attrs.evolve(bare[1], start_time=at - 3 / bare[0].rate)
    with pytest.raises(InputError, match="overlap on the clock"):
        attrs.evolve(bare, sweeps=[bare[0], inside]).to_pynapple()
    other = attrs.evolve(bare[1], mode="voltage_clamp")
    with pytest.raises(InputError, match="several clamp modes"):
        attrs.evolve(bare, sweeps=[bare[0], other]).to_pynapple()


@pytest.mark.parametrize("ax", [3, "axes", [None, None]])
def test_what_is_no_axes_is_said(recording, ax):
    for noun in (recording, recording[0], recording.protocol):
        with pytest.raises(InputError, match="ax must be axes of matplotlib"):
            noun.plot(ax=ax)


@pytest.fixture
def several(recording):
    """The family of the fixture, and two ramps of another length."""
    command = np.linspace(0, 1e-10, 600)
    ramps = cl.Protocol(waveforms=[command, 2 * command], rate=20e3, family="ramp")
    sweeps = [cl.Sweep(response=np.full(600, -0.07), command=row, rate=20e3) for row in ramps]
    other = cl.Recording(
        sweeps=sweeps, cell=recording.cell, provenance=recording.provenance, protocol=ramps,
        truth=cl.GroundTruth(spike_times=[[0.01], []]),
    )  # fmt: skip
    return cl.join_recordings([recording, other])


def test_several_protocols_have_panels_of_their_own(several):
    panels = several.plot()
    assert panels.shape == (2, 2)
    assert [p.get_title(loc="left") for p in panels[:, 0]] == [
        "long_square: 5 sweeps",
        "ramp: 2 sweeps",
    ]
    assert panels[0, 1].get_xlim() == (0, 50)
    assert panels[1, 1].get_xlim() == (0, 30)
    marks = [line for line in panels[1, 0].lines if line.get_linestyle() == "None"]
    assert [line.get_xdata().tolist() for line in marks] == [[10.0]]
    assert several.plot(panels[0])[0] is panels[0, 0]  # into given axes: over each other
    assert "<img" in several._repr_html_()


def test_a_picture_keeps_its_own_shape():
    photo = cl.from_image(
        np.linspace(0, 1, 1200).reshape(30, 40), "40 ms", "10 kHz", rows=6, columns=8
    )
    axes = photo.plot()
    axes.figure.canvas.draw()
    box, (low, high) = axes.get_window_extent(), axes.get_xlim()
    drawn = photo.window("picture")
    shape = box.height / (box.width * drawn.duration * 1e3 / (high - low))
    assert shape == pytest.approx(30 / 40, rel=0.02)
