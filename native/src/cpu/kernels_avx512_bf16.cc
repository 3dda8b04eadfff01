#define SFUMATO_SIMD_512

#include "cpu/bfloat16_kernel.h"

namespace sfumato::cpu {

const Bfloat16Kernels kAvx512Bfloat16Kernels = {"bf16 packed panels", kPanelWidth, RoundRows, Product<Bfloat16Pair>};

}  // namespace sfumato::cpu
