/* The limit: RK4 of the regular-spiking cell, hand-written, all traces side by side.
   Compiled by bench_record.py with -O3 -march=native -ffast-math. */
#include <math.h>

typedef double real;
#define TRACES 128 /* a multiple of the vector width, >= the number of traces */

static const real C = 150e-12, gL = 15e-9, gNa = 7.5e-6, gK = 0.75e-6, gM = 10.5e-9;
static const real EL = -0.070, ENa = 0.050, EK = -0.100, VT = -0.055, taumax = 1.0;

static inline real linoid(real x) { return x / (exp(x) - 1); }

static inline void rates(real v, real m, real h, real n, real p, real I, real *d) {
    const real u = (v - VT) * 1e3, w = (v + 0.035) * 1e3;
    const real am = 1280 * linoid((13 - u) / 4), bm = 1400 * linoid((u - 40) / 5);
    const real ah = 128 * exp((17 - u) / 18), bh = 4000 / (1 + exp((40 - u) / 5));
    const real an = 160 * linoid((15 - u) / 5), bn = 500 * exp((10 - u) / 40);
    const real e = exp(w / 20);
    const real pinf = 1 / (1 + exp(-w / 10)), taup = taumax / (3.3 * e + 1 / e);
    const real n2 = n * n;
    d[0] = (gL * (EL - v) + gNa * m * m * m * h * (ENa - v) + (gK * n2 * n2 + gM * p) * (EK - v) + I) / C;
    d[1] = am * (1 - m) - bm * m;
    d[2] = ah * (1 - h) - bh * h;
    d[3] = an * (1 - n) - bn * n;
    d[4] = (pinf - p) / taup;
}

/* state: 5 x TRACES; command: samples x n; out: samples x n (v at each sample) */
void run(int n, int samples, int substeps, real dt, real *state, const real *command, real *out) {
    real *v = state, *m = v + TRACES, *h = m + TRACES, *q = h + TRACES, *p = q + TRACES;
    for (int s = 0; s < samples; s++) {
        const real *I = command + (long)s * n;
        for (int i = 0; i < n; i++) out[(long)s * n + i] = v[i];
        for (int k = 0; k < substeps; k++) {
#pragma GCC ivdep
            for (int i = 0; i < n; i++) {
                real a[5], b[5], c[5], d[5];
                rates(v[i], m[i], h[i], q[i], p[i], I[i], a);
                const real f = dt / 2;
                rates(v[i] + f * a[0], m[i] + f * a[1], h[i] + f * a[2], q[i] + f * a[3], p[i] + f * a[4], I[i], b);
                rates(v[i] + f * b[0], m[i] + f * b[1], h[i] + f * b[2], q[i] + f * b[3], p[i] + f * b[4], I[i], c);
                rates(v[i] + dt * c[0], m[i] + dt * c[1], h[i] + dt * c[2], q[i] + dt * c[3], p[i] + dt * c[4], I[i], d);
                const real g = dt / 6;
                v[i] += g * (a[0] + 2 * b[0] + 2 * c[0] + d[0]);
                m[i] += g * (a[1] + 2 * b[1] + 2 * c[1] + d[1]);
                h[i] += g * (a[2] + 2 * b[2] + 2 * c[2] + d[2]);
                q[i] += g * (a[3] + 2 * b[3] + 2 * c[3] + d[3]);
                p[i] += g * (a[4] + 2 * b[4] + 2 * c[4] + d[4]);
            }
        }
    }
}
