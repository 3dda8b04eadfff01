#include "cpu/attention_kernel.h"
#include "cpu/product_kernel.h"
#include "cpu/row_kernels.h"

namespace sfumato::cpu {

const Kernels kAvx2Kernels = {
    "avx2",      kPanelWidth, Product<float>, Product<float, Bfloat16>, Attention, RmsNorm, LayerNorm, Rope,
    AddTo,       AddAndScale, AddScaled,      LogitStatisticsOf,        Guide,     Cap,     Widen,     MixPanel,
    Exponential, GeluOf,      SiluOf,
};

}  // namespace sfumato::cpu
