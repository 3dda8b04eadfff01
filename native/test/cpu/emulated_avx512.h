// AVX-512 for kernel tests on any CPU: the intrinsics that the kernels use, lane by lane. Included before the kernels,
// whose calls it takes over.
#ifndef SFUMATO_TEST_CPU_EMULATED_AVX512_H_
#define SFUMATO_TEST_CPU_EMULATED_AVX512_H_

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace sfumato::cpu {
namespace {
namespace emulated {

typedef float Floats __attribute__((vector_size(64), aligned(64)));
typedef int32_t Integers __attribute__((vector_size(64), aligned(64)));

constexpr int kCount = 16;

template <class To, class From>
To BitCast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

inline Floats Broadcast(float value) {
  Floats result = {};
  return result + value;
}

inline Integers Broadcast(int32_t value) {
  Integers result = {};
  return result + value;
}

template <class Vector, class Value>
Vector LoadLanes(const Value* p) {
  Vector result;
  std::memcpy(&result, p, sizeof(result));
  return result;
}

inline void StoreLanes(float* p, Floats a) { std::memcpy(p, &a, sizeof(a)); }

inline Floats MaskedLoad(Floats other, uint16_t mask, const float* p) {
  for (int i = 0; i < kCount; ++i) {
    if ((mask >> i & 1) != 0) other[i] = p[i];
  }
  return other;
}

inline void MaskedStore(float* p, uint16_t mask, Floats a) {
  for (int i = 0; i < kCount; ++i) {
    if ((mask >> i & 1) != 0) p[i] = a[i];
  }
}

inline Floats FusedMultiplyAdd(Floats a, Floats b, Floats c) {
  for (int i = 0; i < kCount; ++i) c[i] = std::fma(a[i], b[i], c[i]);
  return c;
}

/// Of two operands one of which is not a number, both give the second, as the instructions do.
inline Floats Maximum(Floats a, Floats b) { return a > b ? a : b; }
inline Floats Minimum(Floats a, Floats b) { return a < b ? a : b; }

inline Floats RoundToEven(Floats a) {
  for (int i = 0; i < kCount; ++i) a[i] = std::nearbyint(a[i]);
  return a;
}

inline Integers ToIntegers(Floats a) {
  Integers result;
  for (int i = 0; i < kCount; ++i) result[i] = static_cast<int32_t>(std::nearbyint(a[i]));
  return result;
}

inline Integers FromHalves(__m256i halves) {
  uint16_t lanes[kCount];
  std::memcpy(lanes, &halves, sizeof(lanes));
  Integers result;
  for (int i = 0; i < kCount; ++i) result[i] = lanes[i];
  return result;
}

inline Floats ToFloats(Integers a) {
  Floats result;
  for (int i = 0; i < kCount; ++i) result[i] = static_cast<float>(a[i]);
  return result;
}

template <class To, class Register>
Register Narrow(Integers a) {
  To lanes[kCount];
  for (int i = 0; i < kCount; ++i) lanes[i] = static_cast<To>(a[i]);
  return BitCast<Register>(lanes);
}

/// Adds to each lane the products of its four bytes, without a sign in a.
inline Integers MultiplyQuads(Integers sum, Integers a, Integers b) {
  uint8_t x[4 * kCount];
  int8_t y[4 * kCount];
  std::memcpy(x, &a, sizeof(x));
  std::memcpy(y, &b, sizeof(y));
  for (int i = 0; i < 4 * kCount; ++i) sum[i / 4] += x[i] * y[i];
  return sum;
}

inline Integers MultiplyHalves(Integers a, Integers b) {
  int16_t x[2 * kCount];
  int16_t y[2 * kCount];
  std::memcpy(x, &a, sizeof(x));
  std::memcpy(y, &b, sizeof(y));
  Integers sum = {};
  for (int i = 0; i < 2 * kCount; ++i) sum[i / 2] += x[i] * y[i];
  return sum;
}

inline Integers ShiftHalves(Integers a, int bits) {
  uint16_t lanes[2 * kCount];
  std::memcpy(lanes, &a, sizeof(lanes));
  for (uint16_t& lane : lanes) lane = static_cast<uint16_t>(lane >> bits);
  return BitCast<Integers>(lanes);
}

template <int kComparison>
uint16_t CompareLanes(Floats a, Floats b) {
  static_assert(kComparison == _CMP_LT_OQ || kComparison == _CMP_EQ_OQ);
  uint32_t mask = 0;
  for (int i = 0; i < kCount; ++i) {
    const bool holds = kComparison == _CMP_LT_OQ ? a[i] < b[i] : a[i] == b[i];
    mask |= static_cast<uint32_t>(holds) << i;
  }
  return static_cast<uint16_t>(mask);
}

inline Floats BlendLanes(uint16_t mask, Floats a, Floats b) {
  for (int i = 0; i < kCount; ++i) {
    if ((mask >> i & 1) != 0) a[i] = b[i];
  }
  return a;
}

inline float FromHigh(int32_t bits) { return BitCast<float>(static_cast<uint32_t>(bits) & 0xFFFF0000); }
inline float FromLow(int32_t bits) { return BitCast<float>(static_cast<uint32_t>(bits) << 16); }

/// The second of each pair first, each product rounded with its sum; see the description of VDPBF16PS.
inline Floats MultiplyPairs(Floats sum, Integers a, Integers b) {
  for (int i = 0; i < kCount; ++i) {
    sum[i] = std::fma(FromHigh(a[i]), FromHigh(b[i]), sum[i]);
    sum[i] = std::fma(FromLow(a[i]), FromLow(b[i]), sum[i]);
  }
  return sum;
}

}  // namespace emulated
}  // namespace
}  // namespace sfumato::cpu

// Instructions that are loops are not worth unrolling: it takes minutes to compile.
#define SFUMATO_SIMD_EMULATED

#define __m512 sfumato::cpu::emulated::Floats
#define __m512i sfumato::cpu::emulated::Integers
#define __m512bh sfumato::cpu::emulated::Integers
#define _mm512_set1_ps(a) emulated::Broadcast(static_cast<float>(a))
#define _mm512_set1_epi32(a) emulated::Broadcast(static_cast<int32_t>(a))
#define _mm512_loadu_ps(p) emulated::LoadLanes<emulated::Floats>(p)
#define _mm512_loadu_si512(p) emulated::LoadLanes<emulated::Integers>(p)
#define _mm512_storeu_ps emulated::StoreLanes
#define _mm512_mask_loadu_ps emulated::MaskedLoad
#define _mm512_mask_storeu_ps emulated::MaskedStore
#define _mm512_fmadd_ps emulated::FusedMultiplyAdd
#define _mm512_max_ps emulated::Maximum
#define _mm512_min_ps emulated::Minimum
#define _mm512_roundscale_ps(a, how) emulated::RoundToEven(a)
#define _mm512_mask_blend_ps emulated::BlendLanes
#define _mm512_cmp_ps_mask(a, b, comparison) emulated::CompareLanes<comparison>(a, b)
#define _mm512_castsi512_ps(a) emulated::BitCast<emulated::Floats>(a)
#define _mm512_cvtepu16_epi32 emulated::FromHalves
#define _mm512_cvtps_epi32 emulated::ToIntegers
#define _mm512_add_epi32(a, b) ((a) + (b))
#define _mm512_slli_epi32(a, bits) ((a) << (bits))
#define _mm512_dpbf16_ps emulated::MultiplyPairs
#define _mm512_cvtepi32_ps emulated::ToFloats
#define _mm512_cvtepi32_epi8 emulated::Narrow<int8_t, __m128i>
#define _mm512_cvtepi32_epi16 emulated::Narrow<int16_t, __m256i>
#define _mm512_dpbusd_epi32 emulated::MultiplyQuads
#define _mm512_madd_epi16 emulated::MultiplyHalves
#define _mm512_srli_epi16 emulated::ShiftHalves
#define _mm512_and_si512(a, b) ((a) & (b))

#endif  // SFUMATO_TEST_CPU_EMULATED_AVX512_H_
