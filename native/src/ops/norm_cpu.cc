#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::RmsNorm(const NormArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    kernels_.rms_norm(arguments.input + row * arguments.width, arguments.weight, arguments.epsilon, arguments.width,
                      arguments.output.floats + row * arguments.width);
  });
}

void CpuBackend::LayerNorm(const NormArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    kernels_.layer_norm(arguments.input + row * arguments.width, arguments.weight, arguments.bias, arguments.epsilon,
                        arguments.width, arguments.output.floats + row * arguments.width);
  });
}

}  // namespace sfumato::cpu
