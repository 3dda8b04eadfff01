#include "cpu/cpu_backend.h"

namespace sfumato::cpu {

void CpuBackend::Rope(const RopeArguments& arguments) {
  const ProfileScope scope(profile(), Part::kRope, 0);
  const int64_t half = arguments.rotary_dim / 2;
  ForRows(arguments.rows, [&](int64_t row) {
    const int64_t position = arguments.positions[arguments.row_indices == nullptr ? row : arguments.row_indices[row]];
    kernels_.rope(arguments.values + row * arguments.stride, arguments.heads, arguments.head_dim, arguments.rotary_dim,
                  arguments.cosines + position * half, arguments.sines + position * half);
  });
}

}  // namespace sfumato::cpu
