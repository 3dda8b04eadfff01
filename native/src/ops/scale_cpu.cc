#include <algorithm>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::Scale(const ScaleArguments& arguments) {
  const ProfileScope scope(profile(), Part::kNorm, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    kernels_.add_and_scale(nullptr, arguments.factor, arguments.width, arguments.numbers + row * arguments.width);
  });
}

void CpuBackend::Copy(const float* from, int64_t size, float* to) { std::copy_n(from, size, to); }

}  // namespace sfumato::cpu
