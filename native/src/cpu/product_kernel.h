#ifndef SFUMATO_CPU_PRODUCT_KERNEL_H_
#define SFUMATO_CPU_PRODUCT_KERNEL_H_

#include "cpu/kernels.h"
#include "cpu/tile.h"

namespace sfumato::cpu {
namespace {

/// Columns of the output that one panel yields.
template <Epilogue kEpilogue>
constexpr int64_t kColumnsPerPanel = IsGated(kEpilogue) ? kLanes : kPanelWidth;

inline void StoreColumns(float* p, Vec value, int64_t columns) {
  if (columns >= kLanes) {
    Store(p, value);
  } else if (columns > 0) {
    StorePart(p, value, columns);
  }
}

template <Epilogue kEpilogue>
inline Vec Activate(Vec gate) {
  if constexpr (kEpilogue == Epilogue::kGatedSilu) return Silu(gate);
  if constexpr (kEpilogue == Epilogue::kGatedGelu) return Gelu(gate);
  return GeluTanh(gate);
}

template <Epilogue kEpilogue>
inline Vec Finish(Vec sum, const float* bias, const float* output, int64_t columns) {
  if (bias != nullptr) sum = sum + (columns >= kLanes ? Load(bias) : LoadPart(bias, columns > 0 ? columns : 0, 0.0f));
  if constexpr (kEpilogue == Epilogue::kAdd) {
    sum = sum + (columns >= kLanes ? Load(output) : LoadPart(output, columns > 0 ? columns : 0, 0.0f));
  }
  if constexpr (kEpilogue == Epilogue::kGelu) sum = Gelu(sum);
  return sum;
}

template <class Weight>
constexpr bool kWhole = false;  // whether sums are whole numbers at first
template <>
constexpr bool kWhole<WeightQuad> = true;

/// Elements that a block of the inner dimension does not divide.
template <class Weight>
constexpr int64_t kUnit = kWhole<Weight> ? kInt8GroupQuads : 1;

/// Multiplies group after group, and adds each by its rows' scales. Not inlined: it is the same for all that may follow.
template <int kRows, class Element, class Weight>
__attribute__((noinline)) void MultiplyGroups(const ProductTile<Element, Weight>& tile, const Element* rows,
                                              const Int8Group* groups, const Weight* panel, int64_t inner,
                                              Ahead<Weight> ahead, Sums<kRows>& sums) {
  for (int64_t k = 0; k < inner; k += kInt8GroupQuads, ++groups) {
    const int64_t size = inner - k < kInt8GroupQuads ? inner - k : kInt8GroupQuads;
    WholeSums<kRows> whole;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) whole.low[r] = whole.high[r] = SetWhole(groups[r * tile.group_stride].offset);
    MultiplyPanelAhead<kRows>(rows + k, tile.input_stride, panel + k * kPanelWidth, size, whole, ahead);
    ahead.from += size / kChunk * ahead.lines_per_chunk * kCacheLine<Weight>;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec scale = Set(groups[r * tile.group_stride].scale);
      sums.low[r] = MultiplyAdd(scale, ToFloat(whole.low[r]), sums.low[r]);
      sums.high[r] = MultiplyAdd(scale, ToFloat(whole.high[r]), sums.high[r]);
    }
  }
}

/// One panel of weights against all rows of the tile, over one block of the inner dimension.
template <Epilogue kEpilogue, class Element, class Weight>
struct PanelProduct {
  const ProductTile<Element, Weight>& tile;
  const Element* input;
  const Weight* panel;
  int64_t inner;
  bool first;
  bool last;
  float* scratch;
  int64_t scratch_stride;
  const float* bias;
  float* output;
  int64_t columns;
  const Weight* next_panel;
  const Int8Group* groups;
  const float* scales;

  template <int kRows>
  void Run(int64_t row) {
    Sums<kRows> sums;
    float* partial = scratch + row * scratch_stride;
    if (first) {
      Zero(sums);
    } else {
      LoadSums(partial, scratch_stride, sums);
    }
    Multiply<kRows>(row, sums);
    if (!last) {
      StoreSums(sums, partial, scratch_stride);
      return;
    }
    if constexpr (kWhole<Weight>) {
      for (int r = 0; r < kRows; ++r) {
        sums.low[r] = sums.low[r] * Load(scales);
        sums.high[r] = sums.high[r] * Load(scales + kLanes);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      float* out = output + (row + r) * tile.output_stride;
      if constexpr (IsGated(kEpilogue)) {
        StoreColumns(out, Activate<kEpilogue>(sums.low[r]) * sums.high[r], columns);
      } else {
        StoreColumns(out, Finish<kEpilogue>(sums.low[r], bias, out, columns), columns);
        StoreColumns(
            out + kLanes,
            Finish<kEpilogue>(sums.high[r], bias == nullptr ? nullptr : bias + kLanes, out + kLanes, columns - kLanes),
            columns - kLanes);
      }
    }
  }

  /// Multiplies, and asks for the rows' share of the next panel, which no automatic prefetcher foresees: at once where it
  /// is near, bit by bit where it is far, since the product's own loads would wait behind so many misses.
  template <int kRows>
  void Multiply(int64_t row, Sums<kRows>& sums) const {
    const Element* rows = input + row * tile.input_stride;
    const int64_t lines = inner * kPanelWidth / kCacheLine<Weight>;
    const int64_t first = lines * row / tile.rows;
    const int64_t count = lines * (row + kRows) / tile.rows - first;
    const int64_t chunks = inner < kChunk ? 1 : inner / kChunk;
    Ahead<Weight> ahead{next_panel + first * kCacheLine<Weight>, (count + chunks - 1) / chunks};
    if (!tile.far) {
      for (int64_t line = 0; line < count; ++line) __builtin_prefetch(ahead.from + line * kCacheLine<Weight>, 0, 3);
      ahead.lines_per_chunk = 0;
    }
    if constexpr (kWhole<Weight>) {
      MultiplyGroups<kRows>(tile, rows, groups + row * tile.group_stride, panel, inner, ahead, sums);
    } else if (tile.far) {
      MultiplyPanelAhead<kRows>(rows, tile.input_stride, panel, inner, sums, ahead);
    } else {
      MultiplyPanel<kRows>(rows, tile.input_stride, panel, inner, sums);
    }
  }
};

template <Epilogue kEpilogue, class Element, class Weight>
void ProductWith(const ProductTile<Element, Weight>& tile) {
  constexpr int64_t kColumns = kColumnsPerPanel<kEpilogue>;
  const int64_t panels = (tile.columns + kColumns - 1) / kColumns;
  const int64_t blocks = (tile.inner + kProductBlock - 1) / kProductBlock;
  const int64_t units = (tile.inner + kUnit<Weight> - 1) / kUnit<Weight>;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = units * block / blocks * kUnit<Weight>;
    const int64_t end = block == blocks - 1 ? tile.inner : units * (block + 1) / blocks * kUnit<Weight>;
    for (int64_t p = 0; p < panels; ++p) {
      PanelProduct<kEpilogue, Element, Weight> body{tile,
                                                    tile.input + begin,
                                                    tile.panels + (p * tile.inner + begin) * kPanelWidth,
                                                    end - begin,
                                                    block == 0,
                                                    block == blocks - 1,
                                                    tile.scratch + p * kPanelWidth,
                                                    panels * kPanelWidth,
                                                    tile.bias == nullptr ? nullptr : tile.bias + p * kColumns,
                                                    tile.output + p * kColumns,
                                                    tile.columns - p * kColumns,
                                                    tile.panels + ((p + 1) * tile.inner + begin) * kPanelWidth,
                                                    kWhole<Weight> ? tile.groups + begin / kInt8GroupQuads : nullptr,
                                                    kWhole<Weight> ? tile.scales + p * kPanelWidth : nullptr};
      ForRowGroups(tile.rows, body);
    }
  }
}

template <class Element, class Weight = Element>
void Product(const ProductTile<Element, Weight>& tile) {
  switch (tile.epilogue) {
    case Epilogue::kStore:
      return ProductWith<Epilogue::kStore>(tile);
    case Epilogue::kAdd:
      return ProductWith<Epilogue::kAdd>(tile);
    case Epilogue::kGelu:
      return ProductWith<Epilogue::kGelu>(tile);
    case Epilogue::kGatedSilu:
      return ProductWith<Epilogue::kGatedSilu>(tile);
    case Epilogue::kGatedGelu:
      return ProductWith<Epilogue::kGatedGelu>(tile);
    case Epilogue::kGatedGeluTanh:
      return ProductWith<Epilogue::kGatedGeluTanh>(tile);
  }
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_PRODUCT_KERNEL_H_
