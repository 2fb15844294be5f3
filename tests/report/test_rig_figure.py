"""The figure of artefacts, and the page of a check."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like import IdealElectrode, check, long_square, record
from cleo_like.core.errors import InputError
from cleo_like.patch import rig_preset
from cleo_like.report import artefact_figure, current_voltage_figure, protocol_page
from cleo_like.stimuli import voltage_steps


@pytest.fixture(scope="module")
def recordings():
    step = long_square(
        ["600 pA"], duration="30 ms", before="10 ms", after="10 ms", rate="50 kHz"
    )
    rigs = {
        "ideal": IdealElectrode(),
        "balanced": rig_preset("multiclamp_700b"),
        "bridge off": rig_preset("multiclamp_700b", bridge="0 Mohm"),
    }
    return {
        name: record("rs", step, electrode=rig, seed=1, progress=False)[0]
        for name, rig in rigs.items()
    }


def test_every_rig_is_drawn_and_the_bridge_shows(recordings):
    figure = artefact_figure(recordings)
    left, right = figure.axes
    assert left.get_ylabel() == "recorded (mV)"
    assert [text.get_text() for text in right.get_legend().get_texts()] == list(recordings)
    onset = [line.get_ydata() for line in left.lines]
    # 10 MOhm x 600 pA = 6 mV more; the same noise, and a code is 0.03 mV
    assert onset[2][-1] - onset[1][-1] == pytest.approx(6, abs=0.07)


def test_recordings_that_cannot_be_drawn_are_told(recordings):
    with pytest.raises(InputError, match="at least one"):
        artefact_figure({})
    silent = record(
        "passive", long_square(["10 pA"], duration="10 ms", rate="20 kHz"), progress=False
    )[0]
    with pytest.raises(InputError, match="no true spike"):
        artefact_figure({"x": silent})
    with pytest.raises(InputError, match="does not step"):
        artefact_figure(
            {
                "x": record(
                    "rs", long_square(["0 pA"], duration="10 ms", rate="20 kHz"), progress=False
                )[0]
            }
        )


def test_a_family_of_voltage_steps_is_drawn():
    levels = [f"{v} mV" for v in range(-90, -29, 20)]
    steps = voltage_steps(levels, holding="-80 mV", duration="20 ms", rate="20 kHz")
    (made,) = record("passive", steps, electrode="multiclamp_700b", seed=1, progress=False)
    left, middle, right = current_voltage_figure(made, reversal="50 mV").axes
    assert len(left.lines) == 4
    assert middle.lines[0].get_xdata() == pytest.approx([-90, -70, -50, -30])
    slope = np.polyfit(middle.lines[3].get_xdata(), middle.lines[3].get_ydata(), 1)[0]
    assert 1e3 / slope == pytest.approx(
        200 * 5000 / 5200 + 3, rel=0.02
    )  # MOhm: seal, 30 % of Rs
    assert right.get_ylabel() == "conductance (nS)"
    no_sign = current_voltage_figure(
        record(
            "passive", voltage_steps(["-90 mV", "-80 mV"], duration="20 ms", rate="20 kHz"),
            electrode="multiclamp_700b", seed=1, progress=False,
        )[0]
    )  # fmt: skip
    assert "reversal=" in no_sign.axes[2].texts[0].get_text().replace("\n", " ")


def test_the_page_of_a_check_has_every_row(tmp_path):
    step = long_square(["50 pA"], duration="100 ms", rate="20 kHz")
    report = check(step, "rs")
    page = protocol_page(report, step).save(tmp_path / "check.html") or tmp_path / "check.html"
    text = (tmp_path / "check.html").read_text("utf-8")
    assert all(row.name in text for row in report.rows)
    del page
