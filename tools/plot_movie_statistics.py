"""Statistics of a simulated movie beside those of a real one, and the figure of the guide.

    python tools/plot_movie_statistics.py REAL.tif [--out docs/images/movie_statistics.png]

The real movie is not part of the repository. The preset was set by hand on the first half of
its frames; the second half is the check. Frames are registered by whole pixels (phase
correlation) before means are taken, real and simulated ones alike.
"""

from __future__ import annotations

import argparse

import numpy as np

from cleo_like.imaging.movie import simulate_movie, spike_trains
from cleo_like.io import read_tiff

QUANTILES = (1, 5, 25, 50, 75, 95, 99, 99.9)
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


def displacements(frames: np.ndarray) -> np.ndarray:
    """Displacement (y, x) of each frame by phase correlation, to a tenth of a pixel or so."""
    frames = frames - frames.mean(axis=(1, 2), keepdims=True)
    window = np.outer(np.hanning(frames.shape[1]), np.hanning(frames.shape[2]))
    target = np.fft.rfft2(window * frames.mean(axis=0))
    for _ in range(2):
        found = []
        for frame in frames:
            cross = np.fft.rfft2(window * frame) * np.conj(target)
            peak = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9) ** 0.5, frame.shape)
            found.append(_peak(np.fft.fftshift(peak)))
        moved = np.array(found)
        registered = np.array([_shifted(f, m) for f, m in zip(frames, moved, strict=True)])
        target = np.fft.rfft2(window * registered.mean(axis=0))
    return moved


def _peak(image: np.ndarray, most: int = 8) -> tuple[float, float]:
    """Place of the maximum near the middle, by a parabola along each axis."""
    cy, cx = image.shape[0] // 2, image.shape[1] // 2
    near = image[cy - most : cy + most + 1, cx - most : cx + most + 1]
    y, x = np.unravel_index(near[1:-1, 1:-1].argmax(), (2 * most - 1, 2 * most - 1))
    y, x = y + 1, x + 1
    out = []
    for line, at in ((near[:, x], y), (near[y], x)):
        a, b, c = line[at - 1 : at + 2]
        out.append(at - most + 0.5 * (a - c) / (a - 2 * b + c))
    return out[0], out[1]


def _shifted(frame: np.ndarray, moved: np.ndarray) -> np.ndarray:
    return np.roll(frame, tuple(-np.rint(moved).astype(int)), (0, 1))


def statistics(frames: np.ndarray) -> dict[str, np.ndarray | float]:
    """Give what a movie is compared by."""
    frames = frames.astype(float)
    moved = displacements(frames)
    still = np.array([_shifted(f, m) for f, m in zip(frames, moved, strict=True)])[
        :, 8:-8, 8:-8
    ]
    mean, change = still.mean(axis=0), np.diff(frames, axis=0)
    noise = (np.diff(still, axis=0) ** 2).mean(axis=0) / 2
    order = np.array_split(np.argsort(mean.ravel()), 24)
    bins = np.array([[mean.ravel()[i].mean(), noise.ravel()[i].mean()] for i in order])
    centred = mean - mean.mean()
    slow = still[: len(still) // 30 * 30].reshape(-1, 30, *mean.shape).mean(axis=1)
    slow = (slow - slow.mean(axis=0)) / slow.std(axis=0)
    fluctuation = frames.mean(axis=(1, 2))
    z = (moved - moved.mean(axis=0)) / moved.std(axis=0)
    slope = np.polyfit(bins[:, 0], bins[:, 1], 1)
    return {
        "mean": mean,
        "bins": bins,
        "exponent": float(np.polyfit(*np.log(bins).T, 1)[0]),
        "photons per pixel": float(mean.mean() / slope[0]),
        "quantiles / mean": np.percentile(mean, QUANTILES) / mean.mean(),
        "1 % and 99 % / median": np.percentile(mean, [1, 99]) / np.median(mean),
        "cv": float(mean.std() / mean.mean()),
        "skew": float((centred**3).mean() / mean.std() ** 3),
        "acf": np.array(
            [(centred[:, :-k] * centred[:, k:]).mean() / centred.var() for k in LAGS]
        ),
        "noise x": np.array(
            [_corr(change[:, :, :-k], change[:, :, k:], change) for k in (1, 2)]
        ),
        "noise y": np.array([_corr(change[:, :-k], change[:, k:], change) for k in (1, 2)]),
        "1-s correlation": np.array(
            [(slow[:, :, :-k] * slow[:, :, k:]).mean() for k in (1, 4, 8, 32)]
        ),
        "cv of frame mean": float(fluctuation.std() / fluctuation.mean()),
        "motion sd": moved.std(axis=0),
        "motion lag 1": (z[:-1] * z[1:]).mean(axis=0),
        "kurtosis": float(np.median(_kurtosis(np.diff(still, axis=0)))),
    }


def _corr(a: np.ndarray, b: np.ndarray, whole: np.ndarray) -> float:
    return float((a * b).mean() / (whole**2).mean())


def _kurtosis(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=0)
    return (centred**4).mean(axis=0) / centred.var(axis=0) ** 2 - 3


def simulated(n_frames: int, seed: int) -> np.ndarray:
    """Give the frames of the preset."""
    seconds = f"{n_frames / 30} s"
    spikes = spike_trains(90, seconds, rate="0.2 Hz", seed=seed)
    movie = simulate_movie(
        spikes, indicator="gcamp6s", duration=seconds, model="small_field", seed=seed
    )
    return movie[:]


def draw(movies: dict[str, dict], out: str) -> None:
    """Draw the figure."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(movies), figsize=(4 * len(movies), 7))
    for axis, (name, found) in zip(axes[0], movies.items(), strict=True):
        picture = found["mean"] / np.median(found["mean"])
        axis.imshow(picture, cmap="gray", vmin=0.3, vmax=3.5)
        axis.set(title=name, xticks=[], yticks=[])
    for name, found in movies.items():
        style = "-" if name.startswith("real") else "--"
        axes[1, 0].semilogy(QUANTILES, found["quantiles / mean"], style, marker=".")
        axes[1, 1].plot(LAGS, found["acf"], style, marker=".")
        axes[1, 2].loglog(
            *(found["bins"] / found["bins"].mean(axis=0)).T, style, marker=".", label=name
        )
    axes[1, 0].set(xlabel="percentile of pixels", ylabel="mean image / its mean")
    axes[1, 1].set(xlabel="distance (px)", ylabel="autocorrelation of the mean image")
    axes[1, 2].set(xlabel="mean (relative)", ylabel="variance (relative)")
    axes[1, 2].legend(fontsize=7, frameon=False)
    for axis in axes[1, 3:]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(out, dpi=80)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("real")
    parser.add_argument("--out", default="docs/images/movie_statistics.png")
    options = parser.parse_args()
    real = read_tiff(options.real, frame_rate="30 Hz")
    half = real.shape[0] // 2
    movies = {
        "real, first half": statistics(real[:half]),
        "real, second half": statistics(real[half:]),
        "simulated, seed 1": statistics(simulated(half, 1)),
        "simulated, seed 2": statistics(simulated(half, 2)),
    }
    for key in next(iter(movies.values())):
        if key not in ("mean", "bins"):
            print(
                f"{key:22}", *(np.round(found[key], 3) for found in movies.values()), sep="  "
            )
    draw(movies, options.out)


if __name__ == "__main__":
    main()
