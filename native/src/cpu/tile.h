// The inner loop of every product: a few rows by one panel, sums in registers.
#ifndef SFUMATO_CPU_TILE_H_
#define SFUMATO_CPU_TILE_H_

#include "cpu/simd.h"

namespace sfumato::cpu {
namespace {

template <int kRows>
struct Sums {
  Vec low[kRows];   // lanes 0..kLanes-1 of the panel
  Vec high[kRows];  // the others
};

/// The same of whole numbers.
template <int kRows>
struct WholeSums {
  WholeVec low[kRows];
  WholeVec high[kRows];
};

/// Adds a [kRows, inner] times b [inner, panel width] to the sums, one element after the other: a row's result does not
/// depend on kRows. An element is whatever Load, Set and MultiplyAdd take.
template <int kRows, class Element, class Weight, class RowSums>
inline void MultiplyPanel(const Element* a, int64_t a_row, const Weight* b, int64_t inner, RowSums& sums) {
  // Unrolled not for the work of counting, but so that the end of the loop is foreseen: a row group then begins before
  // the one ahead of it is through.
#if !defined(SFUMATO_SIMD_EMULATED)
#pragma GCC unroll 8
#endif
  for (int64_t k = 0; k < inner; ++k) {
    const auto low = Load(b);
    const auto high = Load(b + kLanes);
    b += kPanelWidth;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto factor = Set(a[r * a_row + k]);
      sums.low[r] = MultiplyAdd(factor, low, sums.low[r]);
      sums.high[r] = MultiplyAdd(factor, high, sums.high[r]);
    }
  }
}

/// Memory to bring into the second-level cache, so many lines with each chunk of a product.
template <class Weight>
struct Ahead {
  const Weight* from;
  int64_t lines_per_chunk;
};

template <class Weight>
constexpr int64_t kCacheLine = 64 / sizeof(Weight);  // elements
constexpr int64_t kChunk = 8;                        // elements of the inner dimension

/// As MultiplyPanel, and brings memory near meanwhile. Written out again: with the column shared, one of the two is 3 to 5 %
/// slower, whichever way it is indexed.
template <int kRows, class Element, class Weight, class RowSums>
inline void MultiplyPanelAhead(const Element* a, int64_t a_row, const Weight* b, int64_t inner, RowSums& sums,
                               Ahead<Weight> ahead) {
  const auto column = [&](int64_t k) {
    const auto low = Load(b + k * kPanelWidth);
    const auto high = Load(b + k * kPanelWidth + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto factor = Set(a[r * a_row + k]);
      sums.low[r] = MultiplyAdd(factor, low, sums.low[r]);
      sums.high[r] = MultiplyAdd(factor, high, sums.high[r]);
    }
  };
  int64_t k = 0;
  for (; k + kChunk <= inner; k += kChunk) {
    for (int64_t line = 0; line < ahead.lines_per_chunk; ++line) {
      __builtin_prefetch(ahead.from, 0, 2);
      ahead.from += kCacheLine<Weight>;
    }
#if !defined(SFUMATO_SIMD_EMULATED)
#pragma GCC unroll 8
#endif
    for (int64_t i = 0; i < kChunk; ++i) column(k + i);
  }
  for (; k < inner; ++k) column(k);
}

template <int kRows>
inline void Zero(Sums<kRows>& sums) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sums.low[r] = Set(0.0f);
    sums.high[r] = Set(0.0f);
  }
}

template <int kRows>
inline void LoadSums(const float* p, int64_t stride, Sums<kRows>& sums) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sums.low[r] = Load(p + r * stride);
    sums.high[r] = Load(p + r * stride + kLanes);
  }
}

template <int kRows>
inline void StoreSums(const Sums<kRows>& sums, float* p, int64_t stride) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    Store(p + r * stride, sums.low[r]);
    Store(p + r * stride + kLanes, sums.high[r]);
  }
}

/// Cuts rows into groups of nearly equal size, since a small rest would leave the multipliers waiting: calls
/// body.template Run<size>(first).
template <int kRows, class Body>
inline void RunGroup(int64_t size, int64_t first, Body& body) {
  if (size == kRows) {
    body.template Run<kRows>(first);
  } else if constexpr (kRows > 1) {
    RunGroup<kRows - 1>(size, first, body);
  }
}

template <class Body>
inline void ForRowGroups(int64_t rows, Body& body) {
  const int64_t groups = (rows + kTileRows - 1) / kTileRows;
  int64_t first = 0;
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t end = rows * (group + 1) / groups;
    RunGroup<kTileRows>(end - first, first, body);
    first = end;
  }
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_TILE_H_
