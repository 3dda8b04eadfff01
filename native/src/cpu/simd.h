// Vectors of floats for the instruction set that a kernel source is compiled for. Included by the kernel sources only;
// SFUMATO_SIMD_512 asks for AVX-512, which a test may also emulate.
#ifndef SFUMATO_CPU_SIMD_H_
#define SFUMATO_CPU_SIMD_H_

#include <stdint.h>

#include "cpu/kernels.h"

#if defined(SFUMATO_SIMD_512) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace sfumato::cpu {
namespace {

constexpr float kLowest = -3.402823466e38f;
constexpr float kInfinity = __builtin_inff();

#if defined(SFUMATO_SIMD_512)

using Vec = __m512;
using IntVec = __m512i;
constexpr int64_t kLanes = 16;
constexpr int kTileRows = 14;

inline __mmask16 Mask(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
inline Vec Set(float value) { return _mm512_set1_ps(value); }
inline Vec Load(const float* p) { return _mm512_loadu_ps(p); }
inline Vec Load(const Bfloat16* p) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
inline void Store(float* p, Vec a) { _mm512_storeu_ps(p, a); }
inline Vec LoadPart(const float* p, int64_t count, float fill) {
  return _mm512_mask_loadu_ps(Set(fill), Mask(count), p);
}
inline void StorePart(float* p, Vec a, int64_t count) { _mm512_mask_storeu_ps(p, Mask(count), a); }
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec Max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec Min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
inline Vec Round(Vec a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline IntVec ToIntegers(Vec a) { return _mm512_cvtps_epi32(a); }
/// a where x < y, else b
inline Vec SelectLess(Vec x, Vec y, Vec a, Vec b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_LT_OQ), b, a);
}
/// Bit i is set when lane i of both is the same.
inline uint32_t EqualLanes(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
/// 2^n for whole n of -126..127; 0 for -127
inline Vec PowerOfTwo(Vec n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}

#elif defined(__AVX2__)

using Vec = __m256;
using IntVec = __m256i;
constexpr int64_t kLanes = 8;
constexpr int kTileRows = 6;

inline __m256i Mask(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vec Set(float value) { return _mm256_set1_ps(value); }
inline Vec Load(const float* p) { return _mm256_loadu_ps(p); }
inline Vec Load(const Bfloat16* p) {
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
inline void Store(float* p, Vec a) { _mm256_storeu_ps(p, a); }
inline Vec LoadPart(const float* p, int64_t count, float fill) {
  const __m256i mask = Mask(count);
  return _mm256_blendv_ps(Set(fill), _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask));
}
inline void StorePart(float* p, Vec a, int64_t count) { _mm256_maskstore_ps(p, Mask(count), a); }
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec Max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline Vec Min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
inline Vec Round(Vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline IntVec ToIntegers(Vec a) { return _mm256_cvtps_epi32(a); }
inline Vec SelectLess(Vec x, Vec y, Vec a, Vec b) { return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, y, _CMP_LT_OQ)); }
inline uint32_t EqualLanes(Vec a, Vec b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)));
}
inline Vec PowerOfTwo(Vec n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}

#else

typedef float Vec __attribute__((vector_size(32)));
typedef int32_t IntVec __attribute__((vector_size(32)));
constexpr int64_t kLanes = 8;
constexpr int kTileRows = 3;

inline Vec Set(float value) { return Vec{value, value, value, value, value, value, value, value}; }
inline Vec Load(const float* p) {
  Vec a;
  __builtin_memcpy(&a, p, sizeof(a));
  return a;
}
inline Vec Load(const Bfloat16* p) {
  uint32_t bits[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) bits[i] = static_cast<uint32_t>(p[i].bits) << 16;
  Vec a;
  __builtin_memcpy(&a, bits, sizeof(a));
  return a;
}
inline void Store(float* p, Vec a) { __builtin_memcpy(p, &a, sizeof(a)); }
inline Vec LoadPart(const float* p, int64_t count, float fill) {
  Vec a = Set(fill);
  for (int64_t i = 0; i < count; ++i) a[i] = p[i];
  return a;
}
inline void StorePart(float* p, Vec a, int64_t count) {
  for (int64_t i = 0; i < count; ++i) p[i] = a[i];
}
inline Vec MultiplyAdd(Vec a, Vec b, Vec c) { return a * b + c; }
inline Vec Max(Vec a, Vec b) { return a > b ? a : b; }
inline Vec Min(Vec a, Vec b) { return a < b ? a : b; }
inline Vec Round(Vec a) {
  // Adding and taking away 1.5 * 2^23 leaves a whole number while |a| < 2^22.
  const Vec shift = Set(12582912.0f);
  return (a + shift) - shift;
}
inline IntVec ToIntegers(Vec a) { return __builtin_convertvector(Round(a), IntVec); }
inline Vec SelectLess(Vec x, Vec y, Vec a, Vec b) { return x < y ? a : b; }
inline uint32_t EqualLanes(Vec a, Vec b) {
  uint32_t bits = 0;
  for (int64_t i = 0; i < kLanes; ++i) bits |= (a[i] == b[i] ? 1u : 0u) << i;
  return bits;
}
inline Vec PowerOfTwo(Vec n) {
  const IntVec bits = (__builtin_convertvector(n, IntVec) + 127) << 23;
  Vec power;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return power;
}

#endif

// Sums of products of whole numbers.
#if defined(SFUMATO_SIMD_512)
using WholeVec = IntVec;
inline WholeVec SetWhole(int32_t value) { return _mm512_set1_epi32(value); }
inline Vec ToFloat(WholeVec a) { return _mm512_cvtepi32_ps(a); }
#elif defined(__AVX2__)
using WholeVec = IntVec;
inline WholeVec SetWhole(int32_t value) { return _mm256_set1_epi32(value); }
inline Vec ToFloat(WholeVec a) { return _mm256_cvtepi32_ps(a); }
#else
// In floats, where they are exact as well: generic vectors have no better product.
using WholeVec = Vec;
inline WholeVec SetWhole(int32_t value) { return Set(static_cast<float>(value)); }
inline Vec ToFloat(WholeVec a) { return a; }
#endif

constexpr int64_t kPanelWidth = 2 * kLanes;

/// Calls body(index, count) for whole vectors and then for the rest, count < kLanes.
template <class Body>
inline void ForVectors(int64_t size, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) body(i, kLanes);
  if (i < size) body(i, size - i);
}

inline Vec LoadUpTo(const float* p, int64_t count, float fill) {
  return count == kLanes ? Load(p) : LoadPart(p, count, fill);
}

/// Sum of the lanes, in the same order on every call.
inline float SumLanes(Vec a) {
  alignas(64) float lanes[kLanes];
  Store(lanes, a);
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

inline float MaxLane(Vec a) {
  alignas(64) float lanes[kLanes];
  Store(lanes, a);
  float max = lanes[0];
  for (int64_t i = 1; i < kLanes; ++i) max = lanes[i] > max ? lanes[i] : max;
  return max;
}

/// 2^r for r of -0.5..0.5, relative error below 2e-7.
inline Vec PowerOfFraction(Vec r) {
  Vec p = Set(1.3264726899e-3f);
  p = MultiplyAdd(p, r, Set(9.6715126606e-3f));
  p = MultiplyAdd(p, r, Set(5.5507337442e-2f));
  p = MultiplyAdd(p, r, Set(2.4022242085e-1f));
  p = MultiplyAdd(p, r, Set(6.9314697760e-1f));
  return MultiplyAdd(p, r, Set(1.0f));
}

/// 2^x for x <= 0; 0 from -126.5 down and for minus infinity.
inline Vec ExpBaseTwo(Vec x) {
  // Bounds come first: of two operands one of which is not a number, Min and Max return the second.
  const Vec clamped = Max(Set(-127.0f), x);
  const Vec n = Round(clamped);
  return PowerOfFraction(clamped - n) * PowerOfTwo(n);
}

/// e^x, relative error below 3e-7; 0 from -87.7 down and for minus infinity, largest at 88.
inline Vec Exp(Vec x) {
  const Vec clamped = Max(Set(-88.0f), Min(Set(88.0f), x));
  const Vec n = Round(clamped * Set(1.44269504f));
  // ln 2 in two parts, so that n times the first is exact.
  const Vec r = MultiplyAdd(n, Set(2.12194440e-4f), MultiplyAdd(n, Set(-0.693359375f), clamped));
  return PowerOfFraction(r * Set(1.44269504f)) * PowerOfTwo(n);
}

inline Vec Silu(Vec x) { return x / (Set(1.0f) + Exp(Set(0.0f) - x)); }

/// x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), written as x / (1 + exp(-2 u)).
inline Vec GeluTanh(Vec x) {
  const Vec cubic = MultiplyAdd(x * x, Set(0.044715f), Set(1.0f)) * x;
  return x / (Set(1.0f) + Exp(cubic * Set(-1.5957691216f)));
}

/// x Phi(x) with the error function as a ratio of polynomials on -4..4.
inline Vec Gelu(Vec x) {
  const Vec y = Max(Set(-4.0f), Min(Set(4.0f), x * Set(0.70710678f)));
  const Vec s = y * y;
  Vec p = Set(-2.72614225801306e-10f);
  p = MultiplyAdd(p, s, Set(2.77068142495902e-08f));
  p = MultiplyAdd(p, s, Set(-2.10102402082508e-06f));
  p = MultiplyAdd(p, s, Set(-5.69250639462346e-05f));
  p = MultiplyAdd(p, s, Set(-7.34990630326855e-04f));
  p = MultiplyAdd(p, s, Set(-2.95459980854025e-03f));
  p = MultiplyAdd(p, s, Set(-1.60960333262415e-02f));
  Vec q = Set(-1.45660718464996e-05f);
  q = MultiplyAdd(q, s, Set(-2.13374055278905e-04f));
  q = MultiplyAdd(q, s, Set(-1.68282697438203e-03f));
  q = MultiplyAdd(q, s, Set(-7.37332916720468e-03f));
  q = MultiplyAdd(q, s, Set(-1.42647390514189e-02f));
  const Vec half = x * Set(0.5f);
  return MultiplyAdd(half, y * p / q, half);
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_SIMD_H_
