#define SFUMATO_SIMD_512
#define SFUMATO_VNNI

#include "cpu/int8_kernel.h"

namespace sfumato::cpu {

const Int8Kernels kAvx512VnniInt8Kernels = {"int8 packed panels, vnni", kPanelWidth, sizeof(InputQuad), Quantise,
                                            ProductOfInt8};

}  // namespace sfumato::cpu
