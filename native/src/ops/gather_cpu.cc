#include <algorithm>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::Gather(const GatherArguments& arguments) {
  const ProfileScope scope(profile(), Part::kGather, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    std::copy_n(arguments.input.floats + arguments.indices[row] * arguments.width, arguments.width,
                arguments.output.floats + row * arguments.width);
  });
}

}  // namespace sfumato::cpu
