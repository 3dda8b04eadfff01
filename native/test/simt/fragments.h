#ifndef SFUMATO_TEST_SIMT_FRAGMENTS_H_
#define SFUMATO_TEST_SIMT_FRAGMENTS_H_

// Tensor-core instructions by the fragment layouts of the PTX manual ("Matrix Fragments for mma.m16n8k16 with
// floating point type", "Matrix Fragments for mma.m16n8k32", "Warp-level matrix transpose instruction: movmatrix"). Words of all lanes of a warp.

#include <array>
#include <bit>
#include <cstdint>

#include "base/number_formats.h"

namespace sfumato::cuda::harness {

/// Of each lane: sums [4], a [4], b [2]; taken: sums [4].
inline void MultiplyFragments(const std::array<std::array<uint32_t, 10>, 32>& brought,
                              std::array<std::array<uint32_t, 4>, 32>& taken) {
  float a[16][16];
  float b[16][8];
  float c[16][8];
  for (size_t lane = 0; lane < 32; ++lane) {
    const size_t group = lane / 4;
    const size_t in_group = lane % 4;
    const auto& words = brought[lane];
    const auto half = [](uint32_t word, size_t i) {
      return FromBfloat16(static_cast<uint16_t>(i % 2 == 0 ? word & 0xFFFF : word >> 16));
    };
    // a_i: row = groupID for a_i where 0 <= i < 2 || 4 <= i < 6, groupID + 8 otherwise;
    //      col = (threadID_in_group * 2) + (i & 0x1) for a_i where i < 4, + 8 where i >= 4.
    for (size_t i = 0; i < 8; ++i) {
      const size_t row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
      const size_t column = in_group * 2 + (i & 1) + (i >= 4 ? 8 : 0);
      a[row][column] = half(words[4 + i / 2], i);
    }
    // b_i: row = (threadID_in_group * 2) + (i & 0x1) for b_i where i < 2, + 8 where i >= 2; col = groupID.
    for (size_t i = 0; i < 4; ++i) b[in_group * 2 + (i & 1) + (i >= 2 ? 8 : 0)][group] = half(words[8 + i / 2], i);
    // c_i: row = groupID for c_i where i < 2, groupID + 8 where i >= 2; col = (threadID_in_group * 2) + (i & 0x1).
    for (size_t i = 0; i < 4; ++i)
      c[i < 2 ? group : group + 8][in_group * 2 + (i & 1)] = std::bit_cast<float>(words[i]);
  }
  for (size_t row = 0; row < 16; ++row) {
    for (size_t k = 0; k < 16; ++k) {
      for (size_t column = 0; column < 8; ++column) c[row][column] += a[row][k] * b[k][column];
    }
  }
  for (size_t lane = 0; lane < 32; ++lane) {
    for (size_t i = 0; i < 4; ++i)
      taken[lane][i] = std::bit_cast<uint32_t>(c[i < 2 ? lane / 4 : lane / 4 + 8][lane % 4 * 2 + (i & 1)]);
  }
}

/// The same of E4M3 numbers, four in a word, and an inner dimension of 32, summed by itself before it is added.
inline void MultiplyFloat8Fragments(const std::array<std::array<uint32_t, 10>, 32>& brought,
                                    std::array<std::array<uint32_t, 4>, 32>& taken) {
  float a[16][32];
  float b[32][8];
  float c[16][8];
  for (size_t lane = 0; lane < 32; ++lane) {
    const size_t group = lane / 4;
    const size_t in_group = lane % 4;
    const auto& words = brought[lane];
    const auto quarter = [](uint32_t word, size_t i) { return FromFloat8(static_cast<uint8_t>(word >> 8 * (i % 4))); };
    // a_i: row = groupID for a_i where 0 <= i < 4 || 8 <= i < 12, groupID + 8 otherwise;
    //      col = (threadID_in_group * 4) + (i & 0x3) for a_i where i < 8, + 16 where i >= 8.
    for (size_t i = 0; i < 16; ++i) {
      const size_t row = i < 4 || (i >= 8 && i < 12) ? group : group + 8;
      a[row][in_group * 4 + (i & 3) + (i >= 8 ? 16 : 0)] = quarter(words[4 + i / 4], i);
    }
    // b_i: row = (threadID_in_group * 4) + (i & 0x3) for b_i where i < 4, + 16 where i >= 4; col = groupID.
    for (size_t i = 0; i < 8; ++i) b[in_group * 4 + (i & 3) + (i >= 4 ? 16 : 0)][group] = quarter(words[8 + i / 4], i);
    // c_i: row = groupID for c_i where i < 2, groupID + 8 where i >= 2; col = (threadID_in_group * 2) + (i & 0x1).
    for (size_t i = 0; i < 4; ++i)
      c[i < 2 ? group : group + 8][in_group * 2 + (i & 1)] = std::bit_cast<float>(words[i]);
  }
  for (size_t row = 0; row < 16; ++row) {
    float sums[8] = {};
    for (size_t k = 0; k < 32; ++k) {
      for (size_t column = 0; column < 8; ++column) sums[column] += a[row][k] * b[k][column];
    }
    for (size_t column = 0; column < 8; ++column) c[row][column] += sums[column];
  }
  for (size_t lane = 0; lane < 32; ++lane) {
    for (size_t i = 0; i < 4; ++i)
      taken[lane][i] = std::bit_cast<uint32_t>(c[i < 2 ? lane / 4 : lane / 4 + 8][lane % 4 * 2 + (i & 1)]);
  }
}

/// Lane i holds columns i % 4 * 2 and the next of row i / 4, before and after.
inline void TransposeFragments(const std::array<std::array<uint32_t, 10>, 32>& brought,
                               std::array<std::array<uint32_t, 4>, 32>& taken) {
  const auto element = [&brought](size_t row, size_t column) {
    const uint32_t word = brought[row * 4 + column / 2][0];
    return column % 2 == 0 ? word & 0xFFFF : word >> 16;
  };
  for (size_t lane = 0; lane < 32; ++lane) {
    const size_t row = lane / 4;
    const size_t column = lane % 4 * 2;
    taken[lane][0] = element(column, row) | element(column + 1, row) << 16;
  }
}

/// ldmatrix.x4.trans, "Warp-level matrix load instruction: ldmatrix": lane i brings row i % 8 of matrix i / 8 and takes of each
/// matrix the numbers of column i / 4 in rows i % 4 * 2 and the next.
inline void TransposeRows(const std::array<std::array<uint32_t, 10>, 32>& brought,
                          std::array<std::array<uint32_t, 4>, 32>& taken) {
  const auto element = [&brought](size_t matrix, size_t row, size_t column) {
    const uint32_t word = brought[matrix * 8 + row][column / 2];
    return column % 2 == 0 ? word & 0xFFFF : word >> 16;
  };
  for (size_t lane = 0; lane < 32; ++lane) {
    const size_t row = lane % 4 * 2;
    for (size_t matrix = 0; matrix < 4; ++matrix)
      taken[lane][matrix] = element(matrix, row, lane / 4) | element(matrix, row + 1, lane / 4) << 16;
  }
}

}  // namespace sfumato::cuda::harness

#endif  // SFUMATO_TEST_SIMT_FRAGMENTS_H_
