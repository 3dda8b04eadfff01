#ifndef SFUMATO_CUDA_ROW_KERNELS_H_
#define SFUMATO_CUDA_ROW_KERNELS_H_

// Operations on rows of numbers, each described in the header of its name in ops/. Blocks of kRowThreads.

#include <cstdint>

#include "base/number_formats.h"
#include "cuda/simt.h"
#include "ops/step_layout.h"

namespace sfumato::cuda {

constexpr int kRowThreads = 256;

/// Kernels without shared memory.
struct NoShared {};

/// One block for each row of the output. One of the tables is there.
struct EmbedKernel {
  static constexpr const char* kName = "embed";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const float> floats;  // [.., width]
  Global<const uint16_t> bfloat16s;
  Global<const uint16_t> float16s;
  Global<const int32_t> indices;  // [rows]
  int64_t width;
  bool add;
  Global<float> output;  // [rows, width]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t source = indices[BlockX()] * width;
    const int64_t target = BlockX() * width;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      float value;
      if (!floats.IsNull()) {
        value = floats[source + i];
      } else {
        value = bfloat16s.IsNull() ? FromFloat16(float16s[source + i]) : FromBfloat16(bfloat16s[source + i]);
      }
      output[target + i] = add ? output[target + i] + value : value;
    }
  }
};

/// One block for each row.
struct RmsNormKernel {
  static constexpr const char* kName = "rms_norm";
  static constexpr int kThreads = kRowThreads;
  struct Shared {
    SharedArray<float, kThreads / kWarpThreads> sums;
  };

  Global<const float> input;  // [rows, width]
  int64_t width;
  Global<const float> weight;
  float epsilon;
  Global<float> output;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t row = BlockX() * width;
    float square = 0;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) square += input[row + i] * input[row + i];
    const float mean = BlockSum(square, shared.sums) / static_cast<float>(width);
    const float factor = 1.0f / sqrtf(mean + epsilon);
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) output[row + i] = input[row + i] * factor * weight[i];
  }
};

/// One block for each row.
struct LayerNormKernel {
  static constexpr const char* kName = "layer_norm";
  static constexpr int kThreads = kRowThreads;
  struct Shared {
    SharedArray<float, kThreads / kWarpThreads> sums;
    SharedArray<float, kThreads / kWarpThreads> squares;
  };

  Global<const float> input;  // [rows, width]
  int64_t width;
  Global<const float> weight;
  Global<const float> bias;
  float epsilon;
  Global<float> output;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t row = BlockX() * width;
    float sum = 0;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) sum += input[row + i];
    const float mean = BlockSum(sum, shared.sums) / static_cast<float>(width);
    float square = 0;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      const float difference = input[row + i] - mean;
      square += difference * difference;
    }
    const float variance = BlockSum(square, shared.squares) / static_cast<float>(width);
    const float factor = 1.0f / sqrtf(variance + epsilon);
    for (int64_t i = ThreadIndex(); i < width; i += kThreads)
      output[row + i] = (input[row + i] - mean) * factor * weight[i] + bias[i];
  }
};

/// One warp for each head of each row.
struct HeadNormKernel {
  static constexpr const char* kName = "head_norm";
  static constexpr int kThreads = kRowThreads;
  static constexpr int kHeads = kThreads / kWarpThreads;  // of a block
  using Shared = NoShared;

  Global<float> values;  // [rows, heads, head_dim] at the stride
  int64_t stride;
  int64_t rows;
  int64_t heads;
  int64_t head_dim;
  Global<const float> weight;
  float epsilon;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t index = static_cast<int64_t>(BlockX()) * kHeads + WarpIndex();
    if (index >= rows * heads) return;
    const int64_t first = index / heads * stride + index % heads * head_dim;
    float square = 0;
    for (int64_t i = Lane(); i < head_dim; i += kWarpThreads) square += values[first + i] * values[first + i];
    const float factor = 1.0f / sqrtf(WarpSum(square) / static_cast<float>(head_dim) + epsilon);
    for (int64_t i = Lane(); i < head_dim; i += kWarpThreads) values[first + i] *= factor * weight[i];
  }
};

/// One thread for each pair of numbers.
struct RopeKernel {
  static constexpr const char* kName = "rope";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<float> values;  // [rows, heads, head_dim] at the stride
  int64_t stride;
  int64_t rows;
  int64_t heads;
  int64_t head_dim;
  int64_t half;  // of the numbers that are rotated
  Global<const int32_t> positions;
  Global<const int32_t> row_indices;
  Global<const float> cosines;  // [max_positions, half]
  Global<const float> sines;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t index = static_cast<int64_t>(BlockX()) * kThreads + ThreadIndex();
    if (index >= rows * heads * half) return;
    const int64_t row = index / (heads * half);
    const int64_t pair = index % half;
    const int64_t angle = positions[row_indices.IsNull() ? row : row_indices[row]] * half + pair;
    const int64_t first = row * stride + index / half % heads * head_dim + pair;
    const float a = values[first];
    const float b = values[first + half];
    values[first] = a * cosines[angle] - b * sines[angle];
    values[first + half] = b * cosines[angle] + a * sines[angle];
  }
};

/// One block for each row that an item writes: x of the most rows of any item, y of the items.
struct WriteKeyValuesKernel {
  static constexpr const char* kName = "write_key_values";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const Sequence> sequences;
  Global<const int32_t> page_list;
  int64_t width;
  Global<const float> keys;
  Global<const float> values;
  int64_t key_stride;
  Global<float> pages;  // [pages, page_tokens, 2, width]
  int64_t page_tokens;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const Sequence& sequence = sequences[BlockY()];
    if (BlockX() >= sequence.written) return;
    const int64_t token = sequence.context_tokens + BlockX();
    const int64_t page = page_list[sequence.first_page + token / page_tokens];
    const int64_t place = (page * page_tokens + token % page_tokens) * 2 * width;
    const int64_t source = (sequence.first_row + BlockX()) * key_stride;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      pages[place + i] = keys[source + i];
      pages[place + width + i] = values[source + i];
    }
  }
};

/// One block for each row of the output.
struct GatherKernel {
  static constexpr const char* kName = "gather";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const float> input;
  Global<const int32_t> indices;
  int64_t width;
  Global<float> output;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t source = indices[BlockX()] * width;
    const int64_t target = BlockX() * width;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) output[target + i] = input[source + i];
  }
};

/// One thread for each number.
struct SumKernel {
  static constexpr const char* kName = "sum";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const float> addend;
  int64_t size;
  float factor;
  Global<float> output;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t i = static_cast<int64_t>(BlockX()) * kThreads + ThreadIndex();
    if (i >= size) return;
    const float sum = addend.IsNull() ? output[i] : output[i] + addend[i];
    output[i] = sum * factor;
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_ROW_KERNELS_H_
