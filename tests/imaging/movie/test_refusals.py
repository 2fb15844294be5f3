"""Wrong input: what is refused, what is said, and what is just inside."""

import numpy as np
import pytest
from brian2 import Hz, um

from cleo_like.core import InputError, Traces, UnitError, UnknownNameError
from cleo_like.imaging import Optics
from cleo_like.imaging.movie import (
    Bleaching,
    MovieModel,
    Neuropil,
    Photomultiplier,
    Scan,
    Scene,
    TissueMotion,
    extract_fluorescence,
    movie_preset,
    movie_preset_names,
    simulate_movie,
    spike_trains,
)

SMALL = {"scan": Scan(rows=32, columns=48), "detector": None}
LONELY = Scene(dendrites=0, blobs=0, nuclear=0, dark=0)


def test_frame_rate_above_the_limit_of_the_scanner():
    assert Scan(rows=512).line_time(31.25) == pytest.approx(1 / 16000)
    with pytest.raises(InputError, match=r"at most 31\.25 frames per second"):
        Scan(rows=512).line_time(31.3)
    with pytest.raises(InputError, match=r"more than the 16000 of the scanner"):
        MovieModel(optics=Optics(frame_rate=60 * Hz))
    MovieModel(optics=Optics(frame_rate=60 * Hz), scan=Scan(rows=256))
    MovieModel(optics=Optics(frame_rate=60 * Hz), scan=Scan(line_rate="40 kHz"))
    with pytest.raises(InputError, match="522 lines"):
        MovieModel(optics=Optics(frame_rate=31 * Hz), scan=Scan(flyback_lines=10))


def test_cells_outside_the_frame_are_named(quiet):
    inside = np.array([[0, 0, 0], [0, 19, 0]]) * um
    movie = simulate_movie(quiet(2), places=inside, motion=None, scene=LONELY, **SMALL)
    assert (movie.truth.masks.counts > 0).all()  # cut by the edge, as at a rig
    with pytest.raises(
        InputError, match=r"1 of 2 cells lie outside the frame of 32 x 48 pixels \(cells 1\)"
    ):
        simulate_movie(
            quiet(2), places=np.array([[0, 0, 0], [0, 26, 0]]) * um, scene=LONELY, **SMALL
        )


def test_places_of_traces_are_centred_on_the_focus():
    positions = np.array([[100e-6, 50e-6, 200e-6], [120e-6, 60e-6, 210e-6]])
    traces = Traces(
        fluorescence=np.zeros((2, 50)), times=np.arange(50) / 30, positions=positions,
        rois={"focus_depth": np.array([205e-6, 205e-6])},
    )  # fmt: skip
    places = simulate_movie(traces, motion=None, scene=LONELY, **SMALL).truth.places
    np.testing.assert_allclose(places, [[10.5, 13.5, 5e-6], [20.5, 33.5, -5e-6]], atol=1e-9)
    moved = simulate_movie(
        traces, centre=[100, 50, 200] * um, motion=None, scene=LONELY, **SMALL
    )
    np.testing.assert_allclose(moved.truth.places[0], [15.5, 23.5, 0], atol=1e-9)
    with pytest.raises(InputError, match="centre is among the positions"):
        simulate_movie(
            [[]], indicator="jgcamp8s", duration="1 s", centre=[0, 0, 0] * um, **SMALL
        )


def test_crowds_do_not_fit():
    with pytest.raises(InputError, match="cells do not find room in 32 x 48 x 30 um"):
        simulate_movie([[]] * 60, indicator="jgcamp8s", duration="1 s", **SMALL)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"activity": "spikes"}, "activity must be Traces, or the spike times of each cell"),
        ({"activity": [[1.0], [np.nan]]}, "one array of finite times"),
        ({"indicator": None}, "spikes need an indicator"),
        ({"duration": None}, "say how long the movie is"),
        ({"duration": "0 s"}, "at least one frame"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"plane": 1}, r"plane must be 0 to 0"),
        ({"threads": 0}, "threads must be 1 or more"),
        ({"places": [[1, 2, 3]] * um}, "places must be 2 finite places"),
        ({"model": 3}, "model must be MovieModel"),
        ({"scene": 3}, "scene must be Scene"),
        ({"optics": Optics(neuropil=0.1)}, "a movie has the light itself"),
    ],
)
def test_what_cannot_be_understood(given, words):
    settings = {"activity": [[1.0], [2.0]], "indicator": "jgcamp8s", "duration": "1 s"}
    with pytest.raises(InputError, match=words):
        simulate_movie(**SMALL | settings | given)


def test_names_that_are_not_there():
    call = {"indicator": "jgcamp8s", "duration": "1 s"}
    with pytest.raises(UnknownNameError, match="did you mean 'neuropil'"):
        simulate_movie([[]], neuropill=None, **call)
    with pytest.raises(UnknownNameError, match="did you mean 'small_field'"):
        simulate_movie([[]], model="smal_field", **call)
    with pytest.raises(UnknownNameError, match="did you mean 'jgcamp8s'"):
        simulate_movie([[]], **call | {"indicator": "jgcamp8"} | {"indicator": "jgcamp8ss"})
    with pytest.raises(UnitError, match="no unit"):
        simulate_movie([[]], **call | {"duration": 3})


def test_traces_that_are_not_dff_or_too_short(quiet):
    import attrs

    with pytest.raises(InputError, match="must be dF/F"):
        simulate_movie(attrs.evolve(quiet(1), quantity="raw counts"), **SMALL)
    with pytest.raises(InputError, match="the traces end at"):
        simulate_movie(quiet(1, frames=30), duration="2 s", **SMALL)
    assert simulate_movie(quiet(1, frames=30), duration="1 s", **SMALL).shape[0] == 30
    with pytest.raises(InputError, match="dF/F already"):
        simulate_movie(quiet(1), indicator="jgcamp8s", **SMALL)
    noisy = simulate_movie(quiet(1), **SMALL)
    assert noisy.notes == ("traces have no truth: their noise is rendered as activity",)


@pytest.mark.parametrize(
    ("part", "given", "words"),
    [
        (Scan, {"rows": 1}, "rows must be 2 or more"),
        (Scan, {"line_phase": 11}, "at most 10 pixels"),
        (Neuropil, {"level": -1}, "level of Neuropil must be 0 or more"),
        (Neuropil, {"coefficient_low": 0.9}, "above coefficient_high"),
        (Neuropil, {"coefficient_high": 1.1}, "between 0 and 1"),
        (TissueMotion, {"jitter": 0.7, "tremor": 0.4}, "shares of one variance"),
        (TissueMotion, {"correlation": 1.2}, "between -1 and 1"),
        (Photomultiplier, {"gain": 0}, "gain of Photomultiplier must be above 0"),
        (Photomultiplier, {"height_cv": 1.6}, "at most 1.5"),
        (Photomultiplier, {"top": 40000}, "top must be above 0 and fit int16"),
        (Photomultiplier, {"offset": 70000, "dtype": "uint16"}, "outside 0 to 65535"),
        (Photomultiplier, {"resampling": (0.1, 0.1, 0.1, 0.1, 0.1)}, "up to four shares"),
        (Bleaching, {"soma_shares": (0.6, 0.6)}, "together at most 1"),
        (Bleaching, {"soma_shares": 0.6}, "soma_shares has 1 values and soma_times 0"),
        (Scene, {"nucleus": 1.2}, "between 0 and 1"),
        (Scene, {"resting": -1}, "resting must be 0 or more"),
    ],
)
def test_parts_without_meaning(part, given, words):
    with pytest.raises(InputError, match=words):
        part(**given)


def test_stored_types():
    for name in ("int16", "uint16", np.int16, np.dtype("uint16")):
        assert Photomultiplier(dtype=name).dtype == np.dtype(name).name
    with pytest.raises(UnknownNameError, match="float32"):
        Photomultiplier(dtype="float32")


@pytest.mark.parametrize(
    ("dtype", "top", "largest"),
    [("int16", None, 32767), ("uint16", None, 65535), ("uint16", 4095, 4095)],
)
def test_saturation_is_counted(dtype, top, largest, quiet):
    gain = largest / 20
    movie = simulate_movie(
        quiet(1), places=[[0, 0, 0]] * um, scan=Scan(rows=32, columns=48), motion=None,
        optics=Optics(brightness="200 MHz", dwell_time="100 ns"), scene=LONELY,
        detector=Photomultiplier(gain=gain, dtype=dtype, top=top),
    )  # fmt: skip
    assert np.isnan(movie.clipped).all()
    frames = movie[:5]
    assert frames.max() == largest
    assert frames.min() >= 0
    assert (movie.clipped[:5] > 0).all()
    assert np.isnan(movie.clipped[5:]).all()
    # the last value may also be reached without being clipped
    assert (movie.clipped[:5] <= (frames == largest).sum(axis=(1, 2))).all()
    dim = simulate_movie(
        quiet(1), places=[[0, 0, 0]] * um, scan=Scan(rows=32, columns=48), motion=None, scene=LONELY,
        optics=Optics(brightness="2 MHz", dwell_time="100 ns"),
        detector=Photomultiplier(gain=gain, dtype=dtype, top=top),
    )  # fmt: skip
    _ = dim[:5]
    assert (dim.clipped[:5] == 0).all()


def test_a_field_without_cells_and_every_stage_left_out():
    movie = simulate_movie(
        [], indicator="jgcamp8s", duration="1 s", scan=Scan(rows=16, columns=24), neuropil=None,
        illumination=None, motion=None, detector=None,
    )  # fmt: skip
    assert movie.dtype == np.float32
    assert (movie[:] == 0).all()
    assert len(movie.truth.masks) == 0
    assert np.isnan(movie.truth.transfer_slope)
    assert np.isnan(movie.truth.gain).all()
    dark = simulate_movie(
        [], indicator="jgcamp8s", duration="1 s", scan=Scan(rows=16, columns=24), neuropil=None,
        detector=Photomultiplier(offset=100, dark_rate="1 MHz"), optics=Optics(dwell_time="1 us"),
    )  # fmt: skip
    assert dark[:].mean() == pytest.approx(200, rel=0.05)  # a count per pixel


def test_presets_can_be_changed():
    for name in movie_preset_names():
        assert isinstance(movie_preset(name), MovieModel)
    assert movie_preset("raw_resonant").detector.largest == 4095
    assert movie_preset("small_field", motion=None).motion is None


def test_masks_and_movie_must_be_of_one_size(everything):
    movie = everything(n=2)
    other = everything(n=2, scan=Scan(rows=64, columns=64)).truth.masks
    with pytest.raises(InputError, match="masks are for frames"):
        extract_fluorescence(movie, other)


def test_spike_trains_have_their_rate_and_their_seed():
    trains = spike_trains(300, "100 s", rate="0.5 Hz", rate_spread=0, burst=2, shared=0, seed=1)
    counts = np.array([len(t) for t in trains])
    assert counts.mean() == pytest.approx(50, rel=0.05)
    # bursts of a geometric number of spikes: variance over mean is 2/p - 1
    assert counts.var() / counts.mean() == pytest.approx(3, abs=0.5)
    again = spike_trains(300, "100 s", rate="0.5 Hz", rate_spread=0, burst=2, shared=0, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(trains, again, strict=True))
    assert all((np.diff(t) >= 0).all() and (not len(t) or t[-1] < 100) for t in trains)
    with pytest.raises(InputError, match="burst 1 or more"):
        spike_trains(3, "1 s", burst=0.5)
