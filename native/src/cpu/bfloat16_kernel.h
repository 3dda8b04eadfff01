// What the product kernel needs to know of pairs of bfloat16 numbers. Included by kernel sources with AVX-512 only.
#ifndef SFUMATO_CPU_BFLOAT16_KERNEL_H_
#define SFUMATO_CPU_BFLOAT16_KERNEL_H_

#include "cpu/kernels.h"
#include "cpu/simd.h"

namespace sfumato::cpu {
namespace {

inline IntVec Load(const Bfloat16Pair* p) { return _mm512_loadu_si512(p); }

inline IntVec Set(Bfloat16Pair pair) {
  int32_t bits;
  __builtin_memcpy(&bits, &pair, sizeof(bits));
  return _mm512_set1_epi32(bits);
}

/// Both products of each pair are added to the pair's lane; results that are too small for a normal float become zero.
inline Vec MultiplyAdd(IntVec a, IntVec b, Vec sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }

inline uint16_t RoundToBfloat16(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const uint32_t not_a_number = (bits >> 16) | 0x40;
  return static_cast<uint16_t>((bits & 0x7FFFFFFF) > 0x7F800000 ? not_a_number : rounded);
}

void RoundRows(const float* input, int64_t input_stride, int64_t rows, int64_t inner, Bfloat16Pair* output,
               int64_t output_stride) {
  const int64_t pairs = (inner + 1) / 2;
  for (int64_t row = 0; row < rows; ++row) {
    const float* from = input + row * input_stride;
    Bfloat16Pair* to = output + row * output_stride;
    for (int64_t i = 0; i < inner / 2; ++i) to[i] = {RoundToBfloat16(from[2 * i]), RoundToBfloat16(from[2 * i + 1])};
    if (inner % 2 != 0) to[pairs - 1] = {RoundToBfloat16(from[inner - 1]), 0};
  }
}

}  // namespace
}  // namespace sfumato::cpu

// After the overloads above, which its templates find.
#include "cpu/product_kernel.h"

#endif  // SFUMATO_CPU_BFLOAT16_KERNEL_H_
