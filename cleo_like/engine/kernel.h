// Support code of the compiled time loops: branch-free functions that a compiler can turn
// into vector instructions, counter-based noise, and the tile in which samples are collected.
// Compiled without -ffast-math: NaN and infinity keep their meaning.
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <type_traits>

#if defined(__clang__)
#define CL_LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define CL_LANES _Pragma("GCC ivdep")
#endif
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector) && __has_builtin(__builtin_convertvector)
#define CL_SHUFFLES 1
#endif
#endif
#ifndef CL_SHUFFLES
#define CL_SHUFFLES 0
#endif
#define CL_IN inline __attribute__((always_inline))

namespace cl {

typedef int64_t flag;  // a boolean as wide as a double: comparisons stay in one register

CL_IN double from_bits(int64_t b) { double d; memcpy(&d, &b, 8); return d; }
CL_IN int64_t to_bits(double d) { int64_t b; memcpy(&b, &d, 8); return b; }

// x = k ln 2 + r; power = 2^k; grown = exp(r) - 1 without cancellation
struct Reduced { double power, grown; };

CL_IN Reduced reduce(double x) {
  const double low = x < -708.0 ? -708.0 : x;      // NaN passes
  const double y = low > 709.4 ? 709.4 : low;
  // adding 1.5 * 2^52 rounds to a whole number, which (plus the bias) is left in the low bits
  const double biased = fma(y, 1.4426950408889634074, 0x1.8p52 + 1023.0);
  const double k = biased - (0x1.8p52 + 1023.0);
  double r = fma(k, -6.93147180369123816490e-01, y);
  r = fma(k, -1.90821492927058770002e-10, r);
  // (exp(r) - 1 - r)/r^2 interpolated at Chebyshev nodes on |r| <= ln 2/2; error 2e-17
  const double s = r * r;
  double even = 0x1.289185613a3d6p-22, odd = 0x1.af38a9b0ec855p-26;
  even = fma(even, s, 0x1.a019b90d2ae7ap-16); odd = fma(odd, s, 0x1.71de0dae63bb3p-19);
  even = fma(even, s, 0x1.6c16c1788bd90p-10); odd = fma(odd, s, 0x1.a01a01a7c41d5p-13);
  even = fma(even, s, 0x1.5555555553d63p-5);  odd = fma(odd, s, 0x1.11111111109b3p-7);
  even = fma(even, s, 0x1.0000000000001p-1);  odd = fma(odd, s, 0x1.5555555555556p-3);
  return {from_bits(to_bits(biased) << 52), fma(fma(odd, r, even), s, r)};
}
// Beyond the range of a double these saturate (at 3e-308 and 1.2e308) instead of giving 0 or
// infinity: two comparisons less in each call. NaN stays NaN.
CL_IN double exp_(double x) {
  const Reduced q = reduce(x);
  return fma(q.power, q.grown, q.power);
}
CL_IN double expm1_(double x) {
  const Reduced q = reduce(x);
  return fma(q.power, q.grown, q.power - 1.0);
}
// (exp(x) - 1)/x and its inverse; the shift is lost in any x but 0, where both are 1
CL_IN double exprel_(double x) {
  const double y = x + 0x1p-1000;
  return expm1_(y) / y;
}
CL_IN double over_exprel(double x) {
  const double y = x + 0x1p-1000;
  return y / expm1_(y);
}
CL_IN double tanh_(double x) {
  const double y = expm1_(2.0 * (x > 20.0 ? 20.0 : (x < -20.0 ? -20.0 : x)));
  return y / (y + 2.0);
}
CL_IN double cosh_(double x) { return 0.5 * (exp_(x) + exp_(-x)); }
CL_IN double sinh_(double x) {
  const double y = expm1_(fabs(x));                // of -x, y + 1 would lose all digits
  return copysign(0.5 * (y + y / (y + 1.0)), x);
}
CL_IN double abs_(double x) { return fabs(x); }
CL_IN int64_t abs_(int64_t x) { return x < 0 ? -x : x; }
CL_IN int32_t abs_(int32_t x) { return x < 0 ? -x : x; }
CL_IN double sign_(double x) { return x != x ? x : (double)((0.0 < x) - (x < 0.0)); }
CL_IN double clip_(double x, double low, double high) {  // as numpy's, also where low > high
  const double y = x < low ? low : x;
  return y > high ? high : y;
}
// Brian2's time in steps, kept in a double (whole numbers below 2^53 are exact); what does not
// fit into 64 bits, infinity included, is the lowest whole number, as where numpy cuts it
CL_IN double timestep_(double t, double dt) {
  const double x = trunc((t + 1e-3 * dt) / dt);
  return fabs(x) < 0x1p63 ? x : -0x1p63;
}
// Brian2's int() has 32 bits on every target; what does not fit is the lowest whole number
CL_IN int32_t int_(double x) { return fabs(x) < 0x1p31 ? (int32_t)x : INT32_MIN; }
CL_IN int32_t int_(int64_t x) { return (int32_t)x; }
CL_IN int32_t int_(int32_t x) { return x; }
CL_IN int32_t int_(bool x) { return x; }
// % and // of numpy: the remainder is exact and has the sign of y; by the whole number 0 they are 0
template <class A, class B> CL_IN auto mod_(A x, B y) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    typedef std::common_type_t<A, B> C;
    const C a = (C)x, b = (C)y;
    if (b == 0 || b == -1) return (C)0;
    const C r = a % b;
    return (C)(r + b * ((r != 0) & ((r ^ b) < 0)));
  } else {
    const double a = (double)x, b = (double)y, r = fmod(a, b);
    return r != 0.0 && (b < 0.0) != (r < 0.0) ? r + b : r;
  }
}
template <class A, class B> CL_IN auto floordiv_(A x, B y) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    typedef std::common_type_t<A, B> C;
    const C a = (C)x, b = (C)y;
    if (b == 0) return (C)0;
    if (b == -1) return (C)-a;
    const C q = a / b, r = a - q * b;
    return (C)(q - ((r != 0) & ((r ^ b) < 0)));
  } else {
    const double a = (double)x, b = (double)y;
    if (b == 0.0) return a / b;
    const double r = fmod(a, b), whole = (a - r) / b;
    const double q = r != 0.0 && (b < 0.0) != (r < 0.0) ? whole - 1.0 : whole;
    const double low = floor(q);
    return q - low > 0.5 ? low + 1.0 : low;
  }
}
template <int n> CL_IN double power_(double x) {
  if (n == 0) return 1.0;
  const double half = power_<n / 2>(x);
  return n % 2 ? half * half * x : half * half;
}
template <> inline double power_<0>(double) { return 1.0; }
template <> inline double power_<1>(double x) { return x; }

CL_IN double log_(double x) {  // of a positive normal number
  int64_t b = to_bits(x) - 0x3fe6a09e667f3bcd;     // mantissa into [sqrt(1/2), sqrt 2)
  const double k = (double)(int32_t)(b >> 52);
  const double m = from_bits((b & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
  const double f = (m - 1.0) / (m + 1.0), s = f * f;
  double p = 1.0 / 19;
  p = fma(p, s, 1.0 / 17); p = fma(p, s, 1.0 / 15); p = fma(p, s, 1.0 / 13);
  p = fma(p, s, 1.0 / 11); p = fma(p, s, 1.0 / 9);  p = fma(p, s, 1.0 / 7);
  p = fma(p, s, 1.0 / 5);  p = fma(p, s, 1.0 / 3);  p = fma(p, s, 1.0);
  return fma(k, 6.93147180559945309417e-01, 2.0 * f * p);
}
CL_IN double log_all(double x) {  // of any positive finite number
  const bool tiny = x < 0x1p-1000;
  return log_(tiny ? x * 0x1p500 : x) - (tiny ? 346.57359027997264 : 0.0);
}
CL_IN double ln_(double x) {
  return x > 0.0 ? (x > 1.7976931348623157e308 ? x : log_all(x)) : (x == 0.0 ? -INFINITY : NAN);
}
CL_IN double pow_(double x, double y) {  // y is not a whole number
  const double y_log = y * log_all(x), edge = (y > 0.0) == (x < 1.0) ? 0.0 : INFINITY;
  return x >= 0.0 ? (x == 0.0 || x > 1.7976931348623157e308 ? edge : exp_(y_log)) : NAN;
}
CL_IN double cos_of_turns(double u) {  // cos(2 pi u) for 0 <= u < 1
  const double w = u > 0.5 ? u - 1.0 : u;
  const double z = 6.283185307179586477 * (0.25 - fabs(w)), s = z * z;
  double p = 1.9572941063391263e-20;               // sin by its series to z^21
  p = fma(p, s, -8.220635246624330e-18); p = fma(p, s, 2.811457254345521e-15);
  p = fma(p, s, -7.647163731819816e-13); p = fma(p, s, 1.605904383682161e-10);
  p = fma(p, s, -2.505210838544172e-08); p = fma(p, s, 2.755731922398589e-06);
  p = fma(p, s, -1.984126984126984e-04); p = fma(p, s, 8.333333333333333e-03);
  p = fma(p, s, -1.666666666666667e-01);
  return fma(z * s, p, z);
}

// Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405): noise is a function of
// (seed, trace, step, site), so it does not depend on blocks, threads or order.
struct Pair { double u, w; };  // u in (0, 1], w in [0, 1)
CL_IN Pair uniform_pair(uint64_t seed, uint64_t trace, uint64_t step, uint32_t site) {
  const uint64_t low = 0xffffffffu;
  uint64_t c0 = step & low, c1 = (step >> 32) ^ ((uint64_t)site << 16), c2 = trace & low, c3 = trace >> 32;
  uint64_t k0 = seed & low, k1 = seed >> 32;
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = 0xD2511F53u * (c0 & low), b = 0xCD9E8D57u * (c2 & low);
    const uint64_t d0 = (b >> 32) ^ c1 ^ k0, d2 = (a >> 32) ^ c3 ^ k1;
    c0 = d0 & low; c1 = b & low; c2 = d2 & low; c3 = a & low;
    k0 = (k0 + 0x9E3779B9u) & low; k1 = (k1 + 0xBB67AE85u) & low;
  }
  // 52 random bits as the mantissa of a number in [1, 2)
  const double u = from_bits((int64_t)(0x3ff0000000000000u | (c0 << 20) | (c1 >> 12)));
  const double w = from_bits((int64_t)(0x3ff0000000000000u | (c2 << 20) | (c3 >> 12)));
  return {2.0 - u, w - 1.0};
}
CL_IN void fill_uniform(double* out, int64_t lanes, uint64_t seed, int64_t first, int64_t step, uint32_t site) {
  CL_LANES for (int64_t j = 0; j < lanes; ++j)
    out[j] = uniform_pair(seed, (uint64_t)(first + j), (uint64_t)step, site).w;
}
CL_IN void fill_normal(double* out, int64_t lanes, uint64_t seed, int64_t first, int64_t step, uint32_t site) {
  CL_LANES for (int64_t j = 0; j < lanes; ++j) {
    const Pair p = uniform_pair(seed, (uint64_t)(first + j), (uint64_t)step, site);
    out[j] = sqrt(-2.0 * log_(p.u)) * cos_of_turns(p.w);  // Box & Muller 1958
  }
}

// A TimedArray, read by sample-and-hold as Brian2 does
struct Timed {
  const double* values; int64_t rows, cols; double dt, upsampling;
  const double* row;
  CL_IN int64_t index(double t) const {
    const double epsilon = dt / upsampling;
    const int64_t k = (int64_t)((t / epsilon + 0.5) / upsampling);
    return k < 0 ? 0 : (k >= rows ? rows - 1 : k);
  }
  double until = -INFINITY;  // within a call t only grows: no look before this time
  CL_IN void seek(double t) {
    if (t < until) return;
    const int64_t k = index(t);
    row = values + k * cols;
    until = k + 1 < rows ? (double)(k + 1) * dt - dt / upsampling : INFINITY;
  }
  CL_IN double at(int64_t i) const {
    const int64_t j = i < 0 ? 0 : i, k = j < cols ? j : cols - 1;
    const double x = row[k];
    return k == i ? x : NAN;
  }
  CL_IN int64_t column(int64_t i) const { return i < 0 ? 0 : (i < cols ? i : cols - 1); }
  CL_IN double now() const { return row[0]; }
  CL_IN double operator()(double t) const { return values[index(t)]; }
  CL_IN double operator()(double t, int64_t i) const {
    return i < 0 || i >= cols ? NAN : values[index(t) * cols + i];
  }
};

// A chunk's variables between Brian2's arrays and the local buffers; free lanes repeat the last
template <class From, class To>
__attribute__((noinline)) void load(const From* from, To* to, int64_t n, int64_t lanes) {
  for (int64_t j = 0; j < n; ++j) to[j] = (To)from[j];
  for (int64_t j = n; j < lanes; ++j) to[j] = (To)from[n - 1];
}
template <class From, class To>
__attribute__((noinline)) void store(const From* from, To* to, int64_t n) {
  for (int64_t j = 0; j < n; ++j) to[j] = (To)from[j];
}
// The first lane whose value is NaN, infinite or huge; n without one
__attribute__((noinline)) inline int64_t first_lost(const double* x, int64_t n) {
  int64_t lost = 0;
  for (int64_t j = 0; j < n; ++j) lost |= !(fabs(x[j]) <= 1e50);
  for (int64_t j = 0; lost && j < n; ++j) if (!(fabs(x[j]) <= 1e50)) return j;
  return n;
}

__attribute__((noinline)) inline int64_t first_nan(const double* x, int64_t n) {
  int64_t lost = 0;
  for (int64_t j = 0; j < n; ++j) lost |= x[j] != x[j];
  for (int64_t j = 0; lost && j < n; ++j) if (x[j] != x[j]) return j;
  return n;
}
// Who fired in the last step, between two calls
__attribute__((noinline)) inline int64_t take_fired(const int8_t* fired, int64_t n, int64_t* spiking) {
  int64_t count = 0;
  for (int64_t j = 0; j < n; ++j) if (fired[j]) spiking[count++] = j;
  return count;
}
__attribute__((noinline)) inline void keep_fired(int8_t* fired, int64_t n, const int64_t* spiking, int64_t count) {
  memset(fired, 0, (size_t)n);
  for (int64_t s = 0; s < count; ++s) fired[spiking[s]] = 1;
}

// Samples of one recorded variable: ROWS of them wait in a tile, then go out in one piece
template <int WIDTH> struct Recorder {
  static const int ROWS = 16;
  char* out; int64_t row_stride, col_stride, single, all, n; const int32_t* lane; const int64_t* col;
  int64_t written, waiting;
  alignas(64) double tile[ROWS][WIDTH];
  void open(const int64_t* a, int64_t before) {
    out = (char*)a[0]; row_stride = a[1]; col_stride = a[2]; single = a[3]; all = a[4]; n = a[5];
    lane = (const int32_t*)a[6]; col = (const int64_t*)a[7]; written = before; waiting = 0;
  }
  CL_IN double* next() {
    if (waiting == ROWS) flush();
    return tile[waiting++];
  }
  template <class T> void move_out() {
    T* o = (T*)out;
    if (col_stride == 1 || waiting == 1) {
      for (int64_t r = 0; r < waiting; ++r)
        for (int64_t q = 0; q < n; ++q) o[(written + r) * row_stride + col[q] * col_stride] = (T)tile[r][q];
      return;
    }
    int64_t q = 0;
#if CL_SHUFFLES
    if (waiting == ROWS && row_stride == 1)
      for (; q + 4 <= n; q += 4)
        for (int64_t r = 0; r < ROWS; r += 4) turn_4x4<T>(o + written + r, r, q);
#endif
    for (; q < n; ++q)
      for (int64_t r = 0; r < waiting; ++r) o[(written + r) * row_stride + col[q] * col_stride] = (T)tile[r][q];
  }
#if CL_SHUFFLES
  // four samples of four traces, from rows of samples to rows of traces
  template <class T> CL_IN void turn_4x4(T* o, int64_t r, int64_t q) const {
    typedef double four __attribute__((vector_size(32)));
    typedef T narrow __attribute__((vector_size(4 * sizeof(T))));
    four a, b, c, d;
    memcpy(&a, &tile[r][q], 32); memcpy(&b, &tile[r + 1][q], 32);
    memcpy(&c, &tile[r + 2][q], 32); memcpy(&d, &tile[r + 3][q], 32);
    const four ab = __builtin_shufflevector(a, b, 0, 4, 2, 6), AB = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    const four cd = __builtin_shufflevector(c, d, 0, 4, 2, 6), CD = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    const four turned[4] = {
        __builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(AB, CD, 0, 1, 4, 5),
        __builtin_shufflevector(ab, cd, 2, 3, 6, 7), __builtin_shufflevector(AB, CD, 2, 3, 6, 7)};
    for (int k = 0; k < 4; ++k) {
      const narrow x = __builtin_convertvector(turned[k], narrow);
      memcpy(o + col[q + k] * col_stride, &x, sizeof x);
    }
  }
#endif
  __attribute__((noinline)) void flush() {
    if (single) move_out<float>(); else move_out<double>();
    written += waiting; waiting = 0;
  }
};

}  // namespace cl
