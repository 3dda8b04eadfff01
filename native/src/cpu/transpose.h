// Transposing between rows of numbers and panels whose columns are those rows.
#ifndef SFUMATO_CPU_TRANSPOSE_H_
#define SFUMATO_CPU_TRANSPOSE_H_

#include "cpu/simd.h"

namespace sfumato::cpu {
namespace {

#if defined(__AVX2__)

/// output[c, r] = input[r, c] for eight rows and columns.
inline void TransposeEight(const float* input, int64_t input_stride, float* output, int64_t output_stride) {
  __m256 rows[8];
  __m256 pairs[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) rows[i] = _mm256_loadu_ps(input + i * input_stride);
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    rows[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    rows[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
    rows[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    rows[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(output + i * output_stride, _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x20));
    _mm256_storeu_ps(output + (i + 4) * output_stride, _mm256_permute2f128_ps(rows[i], rows[i + 4], 0x31));
  }
}

#else

inline void TransposeEight(const float* input, int64_t input_stride, float* output, int64_t output_stride) {
  for (int64_t r = 0; r < 8; ++r) {
    for (int64_t c = 0; c < 8; ++c) output[c * output_stride + r] = input[r * input_stride + c];
  }
}

#endif

/// output[c, r] = input[r, c]
inline void Transpose(const float* input, int64_t input_stride, int64_t rows, int64_t columns, float* output,
                      int64_t output_stride) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    int64_t c = 0;
    for (; c + 8 <= columns; c += 8) {
      TransposeEight(input + r * input_stride + c, input_stride, output + c * output_stride + r, output_stride);
    }
    for (; c < columns; ++c) {
      for (int64_t i = r; i < r + 8; ++i) output[c * output_stride + i] = input[i * input_stride + c];
    }
  }
  for (; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) output[c * output_stride + r] = input[r * input_stride + c];
  }
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_TRANSPOSE_H_
