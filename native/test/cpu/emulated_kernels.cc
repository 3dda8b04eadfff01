#if defined(__x86_64__)

#include "cpu/emulated_kernels.h"

#include "cpu/emulated_avx512.h"

#define SFUMATO_SIMD_512

#include "cpu/bfloat16_kernel.h"
// After the above, whose overloads come before the templates that find them.
#include "cpu/attention_kernel.h"
#include "cpu/row_kernels.h"

namespace sfumato::cpu {

const Kernels kEmulatedAvx512Kernels = {
    "avx512 emulated",
    kPanelWidth,
    Product<float>,
    Product<float, Bfloat16>,
    Attention,
    RmsNorm,
    LayerNorm,
    Rope,
    AddTo,
    AddAndScale,
    AddScaled,
    LogitStatisticsOf,
    Guide,
    Cap,
    Widen,
    MixPanel,
    Exponential,
    GeluOf,
    SiluOf,
};

const Bfloat16Kernels kEmulatedBfloat16Kernels = {"bf16 emulated", kPanelWidth, RoundRows, Product<Bfloat16Pair>};

}  // namespace sfumato::cpu

#endif
