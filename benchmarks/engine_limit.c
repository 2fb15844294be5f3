/* The limit: hand-written loops of the benchmark's equations, all traces of a chunk side by side.
   Compiled by bench_engine.py with -O3 -march=native -ffast-math; exp is libmvec's. */
#include <math.h>

typedef double real;
enum { WIDTH = 128 };

static const real EL = -0.070, ENa = 0.050, EK = -0.100, taumax = 1.0;
static inline real linoid(real x) { return x / (exp(x) - 1); }

typedef struct { real am, bm, ah, bh, an, bn, pinf, taup; } Rates;

static inline Rates rates(real v, real VT) {
    const real u = (v - VT) * 1e3, w = (v + 0.035) * 1e3, e = exp(w / 20);
    Rates r = {1280 * linoid((13 - u) / 4), 1400 * linoid((u - 40) / 5), 128 * exp((17 - u) / 18),
               4000 / (1 + exp((40 - u) / 5)), 160 * linoid((15 - u) / 5), 500 * exp((10 - u) / 40),
               1 / (1 + 1 / (e * e)), taumax / (3.3 * e + 1 / e)};
    return r;
}
static inline real gate(real x, real a, real b, real dt) {
    const real s = a + b, inf = a / s;
    return inf + (x - inf) * exp(-dt * s);
}

/* Regular-spiking cell (Pospischil 2008), exponential step of every variable.
   staggered != 0: the gates see the new v. state: 5 x n; parameters C gL gNa gK gM VT: 6 x n;
   command: samples x columns, trace i plays column[i]; out: v, float64 samples x n as Brian2 keeps
   it, or float32 n x samples as files and features want it. */
#define HH(NAME, OUT, KEEP)                                                                             \
void NAME(int n, int samples, int substeps, real dt, int staggered, real *state,                  \
          const real *parameters, const real *command, int columns, const int *column, OUT *out) { \
    for (int first = 0; first < n; first += WIDTH) {                                               \
        const int lanes = n - first < WIDTH ? n - first : WIDTH;                                   \
        real v[WIDTH], m[WIDTH], h[WIDTH], q[WIDTH], p[WIDTH], I[WIDTH], C[WIDTH], gL[WIDTH],      \
            gNa[WIDTH], gK[WIDTH], gM[WIDTH], VT[WIDTH];                                           \
        for (int i = 0; i < lanes; i++) {                                                          \
            const int t = first + i;                                                               \
            v[i] = state[t]; m[i] = state[n + t]; h[i] = state[2 * n + t];                         \
            q[i] = state[3 * n + t]; p[i] = state[4 * n + t];                                      \
            C[i] = parameters[t]; gL[i] = parameters[n + t]; gNa[i] = parameters[2 * n + t];       \
            gK[i] = parameters[3 * n + t]; gM[i] = parameters[4 * n + t]; VT[i] = parameters[5 * n + t]; \
        }                                                                                          \
        for (int s = 0; s < samples; s++) {                                                        \
            for (int i = 0; i < lanes; i++) I[i] = command[(long)s * columns + column[first + i]];   \
            KEEP                                                                                   \
            for (int k = 0; k < substeps; k++)                                                     \
                _Pragma("GCC ivdep") for (int i = 0; i < lanes; i++) {                             \
                    const real na = gNa[i] * m[i] * m[i] * m[i] * h[i], q2 = q[i] * q[i];          \
                    const real kk = gK[i] * q2 * q2 + gM[i] * p[i];                                \
                    const real g = gL[i] + na + kk;                                                \
                    const real vinf = (gL[i] * EL + na * ENa + kk * EK + I[i]) / g;                \
                    const real x = vinf + (v[i] - vinf) * exp(-dt * g / C[i]);                     \
                    const Rates r = rates(staggered ? x : v[i], VT[i]);                            \
                    m[i] = gate(m[i], r.am, r.bm, dt); h[i] = gate(h[i], r.ah, r.bh, dt);          \
                    q[i] = gate(q[i], r.an, r.bn, dt);                                             \
                    p[i] = r.pinf + (p[i] - r.pinf) * exp(-dt / r.taup);                           \
                    v[i] = x;                                                                      \
                }                                                                                  \
        }                                                                                          \
        for (int i = 0; i < lanes; i++) state[first + i] = v[i];                                   \
    }                                                                                              \
}
HH(hh_double, double, for (int i = 0; i < lanes; i++) out[(long)s * n + first + i] = v[i];)

/* sixteen samples wait, so that a trace is written a cache line at a time */
static float tile[16][WIDTH];
static void turn(int lanes, long samples, int last, float *out) {
    for (int i = 0; i < lanes; i++)
        for (int r = 0; r <= last % 16; r++) out[i * samples + last - last % 16 + r] = tile[r][i];
}
HH(hh_single, float,
   for (int i = 0; i < lanes; i++) tile[s % 16][i] = (float)v[i];
   if (s % 16 == 15 || s + 1 == samples) turn(lanes, samples, s, out + (long)first * samples);)

/* AdEx (Brette & Gerstner 2005), forward Euler; returns the number of spikes */
long adex(int n, int samples, int substeps, real dt, real *state, const real *command, double *out) {
    const real C = 200e-12, gL = 12e-9, E = -0.070, VT = -0.050, D = 0.002, a = 2e-9, tau = 0.3,
               b = 60e-12, Vr = -0.058, Vcut = 0;
    long spikes = 0;
    for (int first = 0; first < n; first += WIDTH) {
        const int lanes = n - first < WIDTH ? n - first : WIDTH;
        real v[WIDTH], w[WIDTH];
        for (int i = 0; i < lanes; i++) { v[i] = state[first + i]; w[i] = state[n + first + i]; }
        for (int s = 0; s < samples; s++) {
            const real *I = command + (long)s * n + first;
            for (int i = 0; i < lanes; i++) out[(long)s * n + first + i] = v[i];
            for (int k = 0; k < substeps; k++)
                _Pragma("GCC ivdep") for (int i = 0; i < lanes; i++) {
                    const real z = (v[i] - VT) / D, e = exp(z > 10 ? 10 : z);
                    const real x = v[i] + dt * (gL * (E - v[i]) + gL * D * e - w[i] + I[i]) / C;
                    const real y = w[i] + dt * (a * (v[i] - E) - w[i]) / tau;
                    const int above = x > Vcut;
                    v[i] = above ? Vr : x; w[i] = above ? y + b : y; spikes += above;
                }
        }
    }
    return spikes;
}
