"""Figures show the numbers that they were given, with units."""

from __future__ import annotations

import subprocess
import sys

import attrs
import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from cleo_like import report
from cleo_like.core.errors import InputError
from cleo_like.core.views.style import thinned
from cleo_like.stimuli import noise, protocol_summary, pulse_train, relief


def lines(axes):
    return [np.column_stack(line.get_data()) for line in axes.get_lines()]


def test_a_family_shows_millivolts_picoamperes_and_milliseconds(steps):
    figure = report.family_figure(steps)
    response, command, bar = figure.axes
    assert response.get_ylabel() == "potential (mV)"
    assert command.get_ylabel() == "current (pA)"
    assert command.get_xlabel() == "time (ms)"
    assert bar.get_ylabel() == "amplitude (pA)"
    assert command.get_xlim() == pytest.approx((0, 2500))
    for k, (v, i) in enumerate(zip(lines(response), lines(command), strict=True)):
        assert v[:, 1].min() == pytest.approx(-90, abs=1e-9)  # the test pulse
        assert i[:, 1].max() == pytest.approx((0, 0, 25)[k], abs=1e-9)


def test_colours_follow_the_step_and_not_the_test_pulse(steps):
    figure = report.family_figure(steps)
    bar = figure.axes[2]
    assert bar.get_ylim() == pytest.approx((-50, 25))
    colours = {line.get_color() for line in figure.axes[0].get_lines()}
    assert len(colours) == 3


def test_sweeps_without_a_command_have_one_panel(steps):
    bare = attrs.evolve(steps, sweeps=[attrs.evolve(s, command=None) for s in steps.sweeps])
    assert len(report.family_figure(bare).axes) == 1
    assert len(report.sweep_figure(bare).axes) == 1


def test_voltage_clamp_shows_current_above_potential(steps):
    clamped = [
        attrs.evolve(s, response=s.command, command=s.response, mode="voltage_clamp")
        for s in steps.sweeps
    ]
    figure = report.sweep_figure(attrs.evolve(steps, sweeps=clamped), 2)
    assert [a.get_ylabel() for a in figure.axes] == ["current (pA)", "potential (mV)"]
    assert figure.axes[0].get_title(loc="left") == "ohmic <1>, sweep 2"


def test_missing_sweeps_and_mixed_modes_are_refused(steps):
    with pytest.raises(InputError, match="index must be below 3"):
        report.sweep_figure(steps, 3)
    mixed = [*steps.sweeps, attrs.evolve(steps.sweeps[0], mode="voltage_clamp")]
    with pytest.raises(InputError, match="has current_clamp, voltage_clamp"):
        report.family_figure(attrs.evolve(steps, sweeps=mixed))
    with pytest.raises(InputError, match="no sweeps"):
        report.family_figure(attrs.evolve(steps, sweeps=[]))


def test_a_protocol_names_its_epochs_once():
    train = pulse_train(
        ["100 pA"], frequency="50 Hz", count=4, test_pulse="-25 pA", rate="10 kHz"
    )
    axes = report.protocol_figure(train).axes[0]
    assert [text.get_text() for text in axes.texts] == ["test pulse", "pulse"]


def test_noise_is_drawn_in_one_colour():
    figure = report.protocol_figure(
        noise("5 pA", seed=1, tau="3 ms", duration="1 s", repeats=2)
    )
    assert len(figure.axes) == 1
    assert len({line.get_color() for line in figure.axes[0].get_lines()}) == 1


def test_a_picture_protocol_is_an_image_of_its_command(drawn):
    axes = report.protocol_figure(drawn.protocol).axes[0]
    shown = np.asarray(axes.get_images()[0].get_array())
    assert shown.shape[0] == 12
    assert shown.min() == pytest.approx(protocol_summary(drawn.protocol)["minimum"] * 1e12)


def test_the_relief_figure_shows_all_five(drawn):
    found = relief(drawn)
    figure = report.relief_figure(found, drawn)
    images = [np.asarray(a.get_images()[0].get_array()) for a in figure.axes if a.get_images()]
    assert_allclose(images[0], found.picture)
    assert images[1].shape[0] == 12
    assert_allclose(images[2], found.voltage * 1e3)
    titles = [a.get_title(loc="left") for a in figure.axes]
    assert {"picture", "current", "traces"} <= set(titles)
    labels = {a.get_ylabel() for a in figure.axes} | {a.get_xlabel() for a in figure.axes}
    assert {
        "row (sweep)",
        "time (ms)",
        "current (pA)",
        "potential (mV)",
        "grey value",
    } <= labels
    surface = next(a for a in figure.axes if a.name == "3d")
    assert surface.get_zlabel() == "potential (mV)"
    traces = next(a for a in figure.axes if a.get_title(loc="left") == "traces")
    assert sum(len(line.get_xdata()) > 100 for line in traces.get_lines()) == 12
    with pytest.raises(InputError, match="knows no protocol"):
        report.relief_figure(found, attrs.evolve(drawn, protocol=None))


def test_a_relief_of_one_row_of_a_dead_cell_can_be_drawn(drawn, tmp_path):
    one = attrs.evolve(
        drawn.protocol,
        waveforms=drawn.protocol.waveforms[:1],
        picture=drawn.protocol.picture[:1],
    )
    dead = attrs.evolve(drawn.sweeps[0], response=np.full(drawn.sweeps[0].n_samples, -0.07))
    recording = attrs.evolve(drawn, sweeps=[dead], protocol=one)
    found = relief(recording)
    report.relief_figure(found, recording).savefig(tmp_path / "dead.png", dpi=40)
    report.comparison_figure(found).savefig(tmp_path / "dead2.png", dpi=40)


@given(size=st.integers(1, 3000), most=st.integers(2, 200), seed=st.integers(0, 99))
def test_thinning_keeps_extremes_and_order(size, most, seed):
    trace = np.random.default_rng(seed).standard_normal(size)
    time, kept = thinned(np.arange(trace.size, dtype=float), trace, most)
    assert kept.size <= most or kept.size == trace.size <= most
    assert kept.max() == trace.max()
    assert kept.min() == trace.min()
    assert (np.diff(time) >= 0).all()
    assert (trace[time.astype(int)] == kept).all()


def test_thinning_shows_numbers_among_missing_samples():
    trace = np.full(1000, np.nan)
    trace[333] = 5.0
    _, kept = thinned(np.arange(1000.0), trace, most=20)
    assert np.nanmax(kept) == 5.0


def test_the_settings_of_the_user_stay(steps):
    before = dict(mpl.rcParams)
    assert isinstance(report.family_figure(steps), Figure)
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_loaded():
    code = (
        "import sys, cleo_like.report as r\n"
        "from cleo_like.stimuli import long_square\n"
        "assert 'matplotlib' not in sys.modules\n"
        "figure = r.protocol_figure(long_square(['1 pA'], rate='1 kHz'))\n"
        "p = r.Page('a'); p.add_figure(figure, alt='a step'); p.html()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_style_puts_back_its_own_settings_and_leaves_those_of_the_backend():
    import matplotlib as mpl

    from cleo_like.core.views.style import house_style

    with mpl.rc_context({"font.size": 7.5, "interactive": False}):
        with house_style():
            assert mpl.rcParams["font.size"] == 11
            mpl.rcParams["interactive"] = True  # as a notebook does with the first figure
        assert mpl.rcParams["font.size"] == 7.5
        assert mpl.rcParams["interactive"]
