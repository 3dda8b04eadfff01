#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::RmsNorm(const NormArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    kernels_.rms_norm(arguments.input + row * arguments.width, arguments.weight, arguments.epsilon, arguments.width,
                      arguments.output + row * arguments.width);
  });
}

void CpuBackend::HeadNorm(const HeadNormArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    for (int64_t head = 0; head < arguments.heads; ++head) {
      float* values = arguments.values + row * arguments.stride + head * arguments.head_dim;
      kernels_.rms_norm(values, arguments.weight, arguments.epsilon, arguments.head_dim, values);
    }
  });
}

void CpuBackend::LayerNorm(const NormArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    kernels_.layer_norm(arguments.input + row * arguments.width, arguments.weight, arguments.bias, arguments.epsilon,
                        arguments.width, arguments.output + row * arguments.width);
  });
}

}  // namespace sfumato::cpu
