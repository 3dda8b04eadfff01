#include <algorithm>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::PrepareHeads(const HeadArguments& arguments) {
  const Rotation& rotation = arguments.rotation;
  const ProfileScope scope(profile(), rotation.rotary_dim == 0 ? Part::kNorm : Part::kRope, 0);
  const int64_t size = arguments.head_dim;
  const int64_t half = rotation.rotary_dim / 2;
  const auto norm = [&](const float* input, int64_t heads, const float* weight, float* output) {
    if (weight == nullptr) {
      if (input != output) std::copy_n(input, heads * size, output);
      return;
    }
    for (int64_t head = 0; head < heads; ++head)
      kernels_.rms_norm(input + head * size, weight, arguments.epsilon, size, output + head * size);
  };
  ForRows(arguments.rows, [&](int64_t row) {
    const float* input = arguments.input + row * arguments.stride;
    float* output = arguments.output.floats + row * arguments.stride;
    norm(input, arguments.heads, arguments.norm, output);
    const int64_t values = arguments.heads * size;
    norm(input + values, arguments.value_heads, arguments.value_norm, output + values);
    if (half == 0) return;
    const int64_t position = rotation.positions[rotation.row_indices == nullptr ? row : rotation.row_indices[row]];
    kernels_.rope(output, arguments.heads, size, rotation.rotary_dim, rotation.cosines + position * half,
                  rotation.sines + position * half);
  });
}

}  // namespace sfumato::cpu
