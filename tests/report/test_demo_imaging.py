"""The closed loop of the demonstration does what its page says."""

import pytest

from cleo_like.report import Page
from cleo_like.report.demo import closed_loop
from cleo_like.report.demo.imaging import imaging_part


@pytest.mark.slow
def test_the_loop_holds_the_set_point_and_the_page_says_so():
    page, said = Page("demo"), []
    imaging_part(page, 2, said.append)
    errors = [float(line.split("error ")[1].split()[0]) for line in said[1:]]
    alone = [float(line.split("held, ")[1].split()[0]) for line in said[1:]]
    assert len(errors) == 3
    assert max(errors) < 0.12
    assert all(held < 0.7 * without for held, without in zip(errors, alone, strict=True))
    assert page.html().count("<img ") == 2
    assert "jGCaMP8m" in page.html()


def test_a_short_run_is_the_same_again_and_control_changes_it(monkeypatch):
    monkeypatch.setattr(closed_loop, "LENGTH", 0.4)
    one, again = closed_loop.run_loop(3), closed_loop.run_loop(3)
    assert (one.held.fluorescence == again.held.fluorescence).all()
    assert one.alone.n_frames == one.held.n_frames == 12
    assert (one.alone.fluorescence[:, 0] == one.held.fluorescence[:, 0]).all()
    assert not (one.alone.fluorescence[:, -1] == one.held.fluorescence[:, -1]).all()
    assert one.held.provenance.parameters["network seed"] == 3
    assert one.signal_times[1:3] * 1e3 == pytest.approx([20, 53.5])  # frame, then latency
