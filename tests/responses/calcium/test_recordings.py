"""Events of recorded cells whose spikes are known, against oasis-deconv on the same traces."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from cleo_like.responses import ar1_events, l0_events

pytestmark = pytest.mark.data

RATE = 30.0  # Hz: faster recordings are averaged to it
WIDTH = 0.1  # s: rates are compared at this bandwidth
# mean over two cells of each indicator of the correlation of oasis-deconv 0.3.2
# (deconvolve(y, penalty=1)) with the rate, measured in the peers' environment
OASIS = {
    "GCaMP6f": 0.879, "GCaMP6s": 0.710, "jGCaMP7f": 0.885, "jGCaMP8f": 0.895,
    "jGCaMP8m": 0.855, "jGCaMP8s": 0.939, "XCaMP-Gf": 0.912, "jRGECO1a": 0.968,
    "jRCaMP1a": 0.803, "GCaMP6f-TG": 0.858, "OGB1": 0.770, "GCaMP5k": 0.805,
}  # fmt: skip


def cell(path):
    with np.load(path) as file:
        t, dff, spikes = (np.ravel(file[k]).astype(float) for k in ("t", "dff", "spikes"))
    rate = 1 / np.median(np.diff(t))
    if rate > 1.2 * RATE:
        n = round(rate / RATE)
        times = np.arange(t[0], t[-1], 1 / RATE)
        dff = np.interp(times, t, np.convolve(dff, np.ones(n) / n, "same"))
        t, rate = times, RATE
    return t, dff, spikes, rate


def correlation(t, events, spikes):
    step = np.median(np.diff(t))
    counts = np.histogram(spikes, np.r_[t - step / 2, t[-1] + step / 2])[0].astype(float)
    smooth = [gaussian_filter1d(x, WIDTH / step) for x in (counts, events)]
    return np.corrcoef(*smooth)[0, 1]


@pytest.mark.parametrize(
    ("method", "worst"), [(ar1_events, -0.03), (l0_events, -0.045)], ids=["ar1", "l0"]
)
def test_events_follow_the_spikes_as_well_as_oasis(data_dir, method, worst):
    folder = data_dir / "ophys_gt" / "small"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    found = {}
    for indicator in OASIS:
        r = []
        for path in sorted(folder.glob(f"{indicator}_[01].npz")):
            t, dff, spikes, rate = cell(path)
            r.append(correlation(t, method(dff, rate).events[0], spikes))
        found[indicator] = np.mean(r)
    difference = {k: found[k] - OASIS[k] for k in OASIS}
    assert np.mean(list(difference.values())) > -0.002, difference
    assert min(difference.values()) > worst, difference
