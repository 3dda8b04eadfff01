#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::AddBranches(const ResidualArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  const int64_t width = arguments.width;
  ForRows(arguments.rows, [&](int64_t row) {
    const int64_t first = row * width;
    const auto norm = [&](const float* input, const float* weight, float* output) {
      kernels_.rms_norm(input + first, weight, arguments.epsilon, width, output + first);
    };
    float* branch = arguments.branches[0].numbers;
    float* other = arguments.branches[1].numbers;
    norm(branch, arguments.branches[0].weight, branch);
    if (other != nullptr) {
      norm(other, arguments.branches[1].weight, other);
      kernels_.add_and_scale(other + first, 1.0f, width, branch + first);
      norm(branch, arguments.sum_weight, branch);
    }
    kernels_.add_and_scale(branch + first, arguments.factor, width, arguments.residual + first);
    for (const ResidualArguments::Output& output : arguments.outputs) {
      if (output.weight != nullptr) norm(arguments.residual, output.weight, output.numbers.floats);
    }
  });
}

}  // namespace sfumato::cpu
