"""The functions of kernel.h against mpmath over their whole range, and its noise."""

import ctypes

import numpy as np
import pytest
from scipy import special, stats

from cleo_like.engine import toolchain

UNARY = ("exp_", "expm1_", "exprel_", "over_exprel", "tanh_", "sinh_", "cosh_", "ln_", "sign_")
WRAPPERS = "\n".join(
    f"void do_{f}(const double* x, double* y, int64_t n) {{ CL_LANES "
    f"for (int64_t j = 0; j < n; ++j) y[j] = cl::{f}(x[j]); }}"
    for f in UNARY
)
SOURCE = f"""#include "kernel.h"
extern "C" {{
{WRAPPERS}
void do_pow(const double* x, const double* p, double* y, int64_t n) {{ CL_LANES
  for (int64_t j = 0; j < n; ++j) y[j] = cl::pow_(x[j], p[j]); }}
void do_mod(const double* x, const double* p, double* y, double* z, int64_t n) {{
  for (int64_t j = 0; j < n; ++j) {{ y[j] = cl::mod_(x[j], p[j]); z[j] = cl::floordiv_(x[j], p[j]); }} }}
void whole_mod(const int64_t* x, const int64_t* p, int64_t* y, int64_t* z, int64_t n) {{
  for (int64_t j = 0; j < n; ++j) {{ y[j] = cl::mod_(x[j], p[j]); z[j] = cl::floordiv_(x[j], p[j]); }} }}
void uniform(double* y, int64_t n, uint64_t seed, int64_t first, int64_t step, uint32_t site) {{
  cl::fill_uniform(y, n, seed, first, step, site); }}
void normal(double* y, int64_t n, uint64_t seed, int64_t first, int64_t step, uint32_t site) {{
  cl::fill_normal(y, n, seed, first, step, site); }}
}}
"""


@pytest.fixture(scope="module")
def library():
    if toolchain.find_compiler() is None:
        pytest.skip("no C++ compiler")
    return toolchain.load(toolchain.compile_source(SOURCE))


def call(library, name, *inputs):
    x, *others = (np.ascontiguousarray(v, dtype=np.float64) for v in inputs)
    y = np.empty_like(x)
    addresses = [ctypes.c_void_p(v.ctypes.data) for v in (x, *others, y)]
    library[name](*addresses, ctypes.c_int64(len(x)))
    return y


def whole_range(low, high, n=4000, seed=1):
    """Values over the range, and values around 0 at all scales from the smallest number."""
    rng = np.random.default_rng(seed)
    scales = 10 ** rng.uniform(-320, np.log10(high), n) * rng.choice([-1, 1], n)
    found = np.concatenate([rng.uniform(low, high, n), scales, [0.0, -0.0, low, high, 1, -1]])
    return found[(found >= low) & (found <= high)]


def exactly(function, x):
    """Correctly rounded values: mpmath with 200 bits."""
    import mpmath

    with mpmath.workprec(200):
        return np.array([float(function(mpmath.mpf(float(v)))) for v in x])


def relative_error(got, expected):
    scale = np.where(expected == 0, 1.0, np.abs(expected))
    return np.abs(got - expected) / scale


@pytest.mark.parametrize(
    ("name", "exact", "low", "high", "limit"),
    [
        ("exp_", "exp", -708.0, 709.4, 2),
        ("expm1_", "expm1", -708.0, 709.4, 3),
        ("tanh_", "tanh", -800.0, 800.0, 5),
        ("sinh_", "sinh", -709.0, 709.0, 5),
        ("cosh_", "cosh", -708.0, 708.0, 4),
        ("ln_", "log", 1e-300, 1.79e308, 4),
    ],
)
def test_error_in_units_of_the_last_place(library, name, exact, low, high, limit):  # noqa: PLR0917
    import mpmath

    x = whole_range(low, high)
    if name == "ln_":
        x = np.concatenate([x[x > 0], np.linspace(0.5, 2, 2001), [5e-324, 1e-310, 2.3e-308]])
    expected = exactly(getattr(mpmath, exact), x)
    got = call(library, f"do_{name}", x)
    error = relative_error(got, expected)[np.abs(expected) > 2.3e-308] / np.finfo(float).eps
    assert error.max() < limit
    tiny = np.abs(expected) <= 2.3e-308
    assert np.abs(got - expected)[tiny].max(initial=0) < 1e-300


@pytest.mark.parametrize("name", ["exprel_", "over_exprel"])
def test_exprel_has_no_hole_at_zero(library, name):
    import mpmath

    x = np.concatenate([whole_range(-700.0, 700.0), np.linspace(-1e-3, 1e-3, 999)])

    def exprel(v):
        if v == 0:
            return mpmath.mpf(1)
        ratio = mpmath.expm1(v) / v
        return ratio if name == "exprel_" else 1 / ratio

    assert relative_error(call(library, f"do_{name}", x), exactly(exprel, x)).max() < 1e-15
    np.testing.assert_allclose(
        call(library, "do_exprel_", x), special.exprel(x), rtol=1e-15, atol=1e-300
    )


def test_beyond_the_range_and_not_a_number(library):
    x = np.array([-np.inf, -1e4, 1e4, np.inf, np.nan])
    exp = call(library, "do_exp_", x)
    assert (exp[:2] < 1e-300).all()
    assert (exp[2:4] > 1e300).all()
    np.testing.assert_array_equal(call(library, "do_tanh_", x)[:4], [-1, -1, 1, 1])
    np.testing.assert_array_equal(call(library, "do_expm1_", x)[:2], [-1, -1])
    for name in UNARY[:-1]:
        assert np.isnan(call(library, f"do_{name}", x)[4]), name
    log = call(library, "do_ln_", [0.0, -0.0, -1.0, np.inf])
    np.testing.assert_array_equal(log, [-np.inf, -np.inf, np.nan, np.inf])
    np.testing.assert_array_equal(
        call(library, "do_sign_", [-3.0, -0.0, 0.0, 2.0]), [-1, 0, 0, 1]
    )


def test_powers(library):
    import mpmath

    rng = np.random.default_rng(3)
    x, p = 10 ** rng.uniform(-30, 30, 3000), rng.uniform(-9, 9, 3000)
    with mpmath.workprec(200):
        expected = np.array(
            [
                float(mpmath.power(mpmath.mpf(a), mpmath.mpf(b)))
                for a, b in zip(x, p, strict=True)
            ]
        )
    inside = (expected > 1e-300) & (expected < 1e300)
    # exp(p*log(x)) magnifies the rounding of its exponent, which is at most 700
    error = relative_error(call(library, "do_pow", x, p), expected)[inside]
    assert error.max() < 700 * np.finfo(float).eps
    assert inside.sum() > 2900


def test_powers_at_the_edge(library):
    bases, powers = zip(
        (0.0, 0.01), (0.0, 2.5), (0.0, -0.5), (np.inf, 0.01), (np.inf, -0.5), (-1.0, 0.5),
        (np.nan, 0.5), (1e-310, 0.5), strict=True,
    )  # fmt: skip
    np.testing.assert_allclose(
        call(library, "do_pow", bases, powers),
        [0.0, 0.0, np.inf, np.inf, 0.0, np.nan, np.nan, 1e-155],
        rtol=1e-12,
    )


def test_remainders_are_those_of_python(library):
    rng = np.random.default_rng(2)
    x, p = rng.integers(-50, 50, 4000), rng.integers(1, 9, 4000) * rng.choice([-1, 1], 4000)
    rest, ratio = np.empty_like(x), np.empty_like(x)
    addresses = [ctypes.c_void_p(v.ctypes.data) for v in (x, p, rest, ratio)]
    library.whole_mod(*addresses, ctypes.c_int64(len(x)))
    np.testing.assert_array_equal(rest, x % p)
    np.testing.assert_array_equal(ratio, x // p)
    x, p = x * 0.37 + 0.011, p * 1.7
    rest, ratio = np.empty_like(x), np.empty_like(x)
    addresses = [ctypes.c_void_p(v.ctypes.data) for v in (x, p, rest, ratio)]
    library.do_mod(*addresses, ctypes.c_int64(len(x)))
    np.testing.assert_allclose(rest, x % p, atol=1e-13)
    np.testing.assert_array_equal(ratio, x // p)


def noise(library, kind, n, *, seed=7, first=0, step=0, site=0):
    found = np.empty(n)
    library[kind](
        ctypes.c_void_p(found.ctypes.data), ctypes.c_int64(n), ctypes.c_uint64(seed),
        ctypes.c_int64(first), ctypes.c_int64(step), ctypes.c_uint32(site),
    )  # fmt: skip
    return found


def test_philox_gives_the_numbers_of_its_authors(library):
    """The definition in Python, held to published answers, and the kernel to the definition."""

    def philox(counter, key):
        c, k, low = list(counter), list(key), 0xFFFFFFFF
        for _ in range(10):
            a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(b >> 32) ^ c[1] ^ k[0], b & low, (a >> 32) ^ c[3] ^ k[1], a & low]
            k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
        return c

    # known answers of the authors' Random123 (kat_vectors, philox4x32 10)
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    ones = 0xFFFFFFFF
    assert philox([ones] * 4, [ones] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    seed, trace, step, site = 0x123456789ABCDEF, (1 << 33) + 5, (1 << 32) + 3, 9
    c = philox([step & ones, (step >> 32) ^ (site << 16), trace & ones, trace >> 32],
               [seed & ones, seed >> 32])  # fmt: skip
    expected = ((c[2] << 20) | (c[3] >> 12)) / 2**52
    assert (
        noise(library, "uniform", 1, seed=seed, first=trace, step=step, site=site)[0]
        == expected
    )


def test_noise_has_the_right_distribution(library):
    uniform, normal = noise(library, "uniform", 400_000), noise(library, "normal", 400_000)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert stats.kstest(normal, "norm").pvalue > 1e-3
    counts, _ = np.histogram(uniform, 1000, (0, 1))
    assert stats.chisquare(counts).pvalue > 1e-3
    error = 1 / np.sqrt(len(normal))
    assert abs(normal.mean()) < 4 * error
    assert abs(normal.std() - 1) < 4 * error
    assert abs((normal**3).mean()) < 4 * np.sqrt(15) * error
    assert abs((normal**4).mean() - 3) < 4 * np.sqrt(96) * error
    assert 4.0 < np.abs(normal).max() < 6.5


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_no_correlation_between_neighbours(library, kind):
    """Next trace, step, site and seed; signs and sizes."""
    n = 200_000
    base = noise(library, kind, n) - (0.5 if kind == "uniform" else 0)
    for change in ({"first": 1}, {"step": 1}, {"site": 1}, {"seed": 8}, {"step": 2**32}):
        other = noise(library, kind, n, **change) - (0.5 if kind == "uniform" else 0)
        for transform in (np.array, np.abs):
            r = np.corrcoef(transform(base), transform(other))[0, 1]
            assert abs(r) < 5 / np.sqrt(n), change
    assert len(np.unique(base)) == n


def test_noise_is_a_function_of_trace_and_step(library):
    whole = noise(library, "normal", 300, step=5)
    parts = [noise(library, "normal", 100, first=k, step=5) for k in (0, 100, 200)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
