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
  Output output;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t row = BlockX() * width;
    float square = 0;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) square += input[row + i] * input[row + i];
    const float mean = BlockSum(square, shared.sums) / static_cast<float>(width);
    const float factor = 1.0f / sqrtf(mean + epsilon);
    for (int64_t i = ThreadIndex(); i < width; i += kThreads)
      output.Store(row + i, input[row + i] * factor * weight[i]);
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
  Output output;

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
      output.Store(row + i, (input[row + i] - mean) * factor * weight[i] + bias[i]);
  }
};

/// PrepareHeads of ops/heads.h: one warp for each head of each row. A number is read by the lane that writes its place, so
/// input and output may be the same.
struct HeadsKernel {
  static constexpr const char* kName = "heads";
  static constexpr int kThreads = kRowThreads;
  static constexpr int kHeads = kThreads / kWarpThreads;  // of a block
  using Shared = NoShared;

  Global<const float> input;  // [rows, heads + value_heads, head_dim] at the stride
  int64_t stride;
  int64_t rows;
  int64_t head_dim;
  int64_t heads;
  int64_t value_heads;
  Global<const float> norm;  // null for none
  Global<const float> value_norm;
  float epsilon;
  int64_t half;  // of the numbers that are rotated; 0 for no rotation
  Global<const int32_t> positions;
  Global<const int32_t> row_indices;
  Global<const float> cosines;  // [max_positions, half]
  Global<const float> sines;
  Output output;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t index = static_cast<int64_t>(BlockX()) * kHeads + WarpIndex();
    const int64_t all_heads = heads + value_heads;
    if (index >= rows * all_heads) return;
    const int64_t row = index / all_heads;
    const int64_t head = index % all_heads;
    const int64_t first = row * stride + head * head_dim;
    const Global<const float>& weight = head < heads ? norm : value_norm;
    float factor = 1;
    if (!weight.IsNull()) {
      float square = 0;
      for (int64_t i = Lane(); i < head_dim; i += kWarpThreads) square += input[first + i] * input[first + i];
      factor = 1.0f / sqrtf(WarpSum(square) / static_cast<float>(head_dim) + epsilon);
    }
    const auto value = [&](int64_t i) {
      return weight.IsNull() ? input[first + i] : input[first + i] * (factor * weight[i]);
    };
    const int64_t pairs = head < heads ? half : 0;
    if (pairs > 0) {
      const int64_t angle = positions[row_indices.IsNull() ? row : row_indices[row]] * half;
      for (int64_t i = Lane(); i < pairs; i += kWarpThreads) {
        const float a = value(i);
        const float b = value(i + half);
        output.Store(first + i, a * cosines[angle + i] - b * sines[angle + i]);
        output.Store(first + i + half, b * cosines[angle + i] + a * sines[angle + i]);
      }
    }
    for (int64_t i = 2 * pairs + Lane(); i < head_dim; i += kWarpThreads) output.Store(first + i, value(i));
  }
};

/// One block for each row that an item writes: x of the most rows of any item, y of the items.
template <class Number>
struct WriteKeyValuesKernel {
  static constexpr const char* kName = "write_key_values";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const Sequence> sequences;
  Global<const int32_t> page_list;
  int64_t width;
  Global<const Number> keys;
  Global<const Number> values;
  int64_t key_stride;
  Global<Number> pages;  // [pages, page_tokens, 2, width]
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
template <class Number>
struct GatherKernel {
  static constexpr const char* kName = "gather";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const Number> input;
  Global<const int32_t> indices;
  int64_t width;
  Global<Number> output;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t source = indices[BlockX()] * width;
    const int64_t target = BlockX() * width;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) output[target + i] = input[source + i];
  }
};

/// AddBranches of ops/residual.h: one block for each row. A thread reads what it has written itself only.
struct ResidualKernel {
  static constexpr const char* kName = "residual";
  static constexpr int kThreads = kRowThreads;
  static constexpr int kOutputs = 3;
  struct Shared {
    SharedArray<float, kThreads / kWarpThreads> squares[4];
  };

  int64_t width;
  float epsilon;
  Global<float> branch;  // [rows, width]
  Global<const float> weight;
  Global<float> other;  // null for none
  Global<const float> other_weight;
  Global<const float> sum_weight;
  float factor;
  Global<float> residual;
  Global<const float> output_weights[kOutputs];  // null for none
  Output outputs[kOutputs];

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t row = BlockX() * width;
    float square = 0;
    float other_square = 0;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      square += branch[row + i] * branch[row + i];
      if (!other.IsNull()) other_square += other[row + i] * other[row + i];
    }
    float scale = Scale(square, shared.squares[0]);
    float sum_scale = 1;
    if (!other.IsNull()) {
      const float other_scale = Scale(other_square, shared.squares[1]);
      float sum_square = 0;
      for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
        const float sum = branch[row + i] * scale * weight[i] + other[row + i] * other_scale * other_weight[i];
        branch[row + i] = sum;
        sum_square += sum * sum;
      }
      sum_scale = Scale(sum_square, shared.squares[2]);
    }
    float residual_square = 0;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      const float added =
          other.IsNull() ? branch[row + i] * scale * weight[i] : branch[row + i] * sum_scale * sum_weight[i];
      const float sum = (residual[row + i] + added) * factor;
      residual[row + i] = sum;
      residual_square += sum * sum;
    }
    const float residual_scale = Scale(residual_square, shared.squares[3]);
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      const float value = residual[row + i] * residual_scale;
      SFUMATO_UNROLL
      for (int output = 0; output < kOutputs; ++output) {
        if (!output_weights[output].IsNull()) outputs[output].Store(row + i, value * output_weights[output][i]);
      }
    }
  }

 private:
  SFUMATO_DEVICE float Scale(float square, SharedArray<float, kThreads / kWarpThreads>& slots) const {
    return 1.0f / sqrtf(BlockSum(square, slots) / static_cast<float>(width) + epsilon);
  }
};

/// One thread for each number.
struct ScaleKernel {
  static constexpr const char* kName = "scale";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<float> numbers;
  int64_t size;
  float factor;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t i = static_cast<int64_t>(BlockX()) * kThreads + ThreadIndex();
    if (i < size) numbers[i] *= factor;
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_ROW_KERNELS_H_
