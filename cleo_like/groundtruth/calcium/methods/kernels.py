"""Methods that know the indicator's response to one spike: linear, non-negative, matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.groundtruth.calcium.methods.signal import peaks, spread, without_baseline
from cleo_like.responses.calcium import noise_std

if TYPE_CHECKING:
    from cleo_like.groundtruth.calcium.known import Known

Answer = dict[str, np.ndarray]
_SILENT = 3.0
"""SDs of the output above which it is an event."""
_CRITERION = 4.0
"""Detection criterion of template matching (Clements & Bekkers 1997, Biophys J 73:220)."""
NNLS_STEPS, RL_STEPS = 200, 50


class _Convolution:
    """Convolution of rows with a kernel, and its transpose, by FFT."""

    def __init__(self, kernel: np.ndarray, n_frames: int) -> None:
        from scipy.fft import next_fast_len, rfft

        kernel = kernel[:n_frames]
        self.n = n_frames
        self.size = next_fast_len(n_frames + kernel.size, real=True)
        self.spectrum = rfft(kernel, self.size)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return self.times(rows, self.spectrum)

    def transposed(self, rows: np.ndarray) -> np.ndarray:
        return self.times(rows, np.conj(self.spectrum))

    def times(self, rows: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
        from scipy.fft import irfft, rfft

        found: Any = irfft(rfft(rows, self.size, axis=1) * spectrum, self.size, axis=1)
        return np.asarray(found[:, : self.n])


def wiener(dff: np.ndarray, rate: float, known: Known, *, tau: float = 1.0) -> Answer:
    """Deconvolve linearly by the kernel, for white spikes in white noise (Wiener 1949).

    Parameters
    ----------
    dff : array, shape (n_cells, n_frames)
        Traces.
    rate : float
        Hz.
    known : Known
        The indicator.
    tau : float
        Factor on the times of the kernel: 1 is right.
    """
    kernel = _kernel(known, rate, tau)
    y = without_baseline(dff, rate)
    sd = _noise(y)
    step = _Convolution(kernel, y.shape[1])
    # variance of spikes per frame: what the noise does not explain, through the kernel
    signal = np.maximum(y.var(axis=1, keepdims=True) - sd**2, 0.01 * sd**2) / np.sum(kernel**2)
    inverse = np.conj(step.spectrum) * signal
    inverse = inverse / (np.abs(step.spectrum) ** 2 * signal + sd**2)
    spikes = step.times(y, inverse)
    found = _filled(spikes * rate, dff)
    return {
        "rate": found, "events": peaks(found, _SILENT * spread(found)), "noise": sd[:, 0],
    }  # fmt: skip


def nnls(dff: np.ndarray, rate: float, known: Known) -> Answer:
    """Fit spikes per frame, none negative, by least squares through the kernel.

    Accelerated projected gradient (Beck & Teboulle 2009, SIAM J Imaging Sci 2:183), all cells
    at once; see `wiener`.
    """
    kernel = _kernel(known, rate)
    y = without_baseline(dff, rate)
    step = _Convolution(kernel, y.shape[1])
    size = 1 / np.max(np.abs(step.spectrum) ** 2)
    target = step.transposed(y)
    spikes, ahead, t = np.zeros_like(y), np.zeros_like(y), 1.0
    for _ in range(NNLS_STEPS):
        before = spikes
        spikes = np.maximum(ahead - size * (step.transposed(step(ahead)) - target), 0.0)
        following = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead, t = spikes + (t - 1) / following * (spikes - before), following
    return _sparse(spikes, dff, rate)


def richardson_lucy(dff: np.ndarray, rate: float, known: Known) -> Answer:
    """Deconvolve by the rule of Richardson (1972) and Lucy (1974), 50 steps; see `wiener`.

    It keeps what is positive; few steps keep it from fitting the noise.
    """
    kernel = _kernel(known, rate)
    y = np.maximum(without_baseline(dff, rate), 0.0)
    step = _Convolution(kernel, y.shape[1])
    floor = 1e-3 * known.peak
    weight = np.maximum(step.transposed(np.ones((1, y.shape[1]))), floor)
    spikes = np.repeat(y.mean(axis=1, keepdims=True) / kernel.sum(), y.shape[1], axis=1)
    for _ in range(RL_STEPS):
        seen = np.maximum(step(spikes), floor)
        spikes = spikes * np.maximum(step.transposed(y / seen), 0.0) / weight
    return _sparse(spikes, dff, rate)


def template(dff: np.ndarray, rate: float, known: Known) -> Answer:
    """Slide the kernel along the trace: its best scale, and events by the detection criterion.

    Source: Clements & Bekkers 1997, Biophys J 73:220. The template is as long as three decays;
    see `wiener`.
    """
    kernel = known.kernel(rate)
    m = int(np.clip(round(3 * known.tau * rate) + 2, 4, kernel.size))
    shape = kernel[:m] / kernel[:m].max()
    y = np.where(np.isfinite(dff), dff, 0.0)
    slide = _Convolution(shape - shape.mean(), y.shape[1])
    plain = _Convolution(np.ones(m), y.shape[1])
    power = float(np.sum((shape - shape.mean()) ** 2))
    scale = slide.transposed(y) / power
    mean = plain.transposed(y) / m
    left = plain.transposed(y**2) - m * mean**2 - scale**2 * power
    error = np.sqrt(np.maximum(left, 1e-12 * np.nanvar(y)) / (m - 1) / power)
    scale[:, y.shape[1] - m + 1 :] = 0.0  # the template would hang over the end
    score = scale / np.maximum(error, 1e-12)
    top = peaks(score, np.full((len(y), 1), _CRITERION))
    return {
        "trace": _filled(np.maximum(scale, 0.0), dff),
        "events": np.where(top > 0, np.maximum(scale, 1e-12), 0.0),
    }


def _kernel(known: Known, rate: float, tau: float = 1.0) -> np.ndarray:
    """Give the kernel, its times stretched by `tau`."""
    return known.kernel(rate * tau)  # a frame of the stretched one is less of the real one


def _noise(y: np.ndarray) -> np.ndarray:
    sd = noise_std(y)[:, None]
    return np.where(sd > 0, sd, 1e-6)


def _filled(found: np.ndarray, dff: np.ndarray) -> np.ndarray:
    """Say nothing where there was no frame."""
    return np.where(np.isfinite(dff), found, np.nan)


def _sparse(spikes: np.ndarray, dff: np.ndarray, rate: float) -> Answer:
    """Give non-negative spikes per frame; an event is a run that holds half a spike."""
    from scipy.ndimage import uniform_filter1d

    pair = 2 * uniform_filter1d(spikes, 2, axis=1, origin=-1)  # this frame and the next
    level = np.full((len(spikes), 1), 0.5)
    return {"rate": _filled(spikes * rate, dff), "events": peaks(pair, level)}
