#include <algorithm>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::Sum(const SumArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    const float* addend = arguments.addend == nullptr ? nullptr : arguments.addend + row * arguments.width;
    kernels_.add_and_scale(addend, arguments.factor, arguments.width, arguments.output + row * arguments.width);
  });
}

void CpuBackend::Copy(const float* from, int64_t size, float* to) { std::copy_n(from, size, to); }

}  // namespace sfumato::cpu
