#include "cpu/int8_kernel.h"

namespace sfumato::cpu {

const Int8Kernels kPortableInt8Kernels = {"int8 packed panels", kPanelWidth, sizeof(InputQuad), Quantise,
                                          ProductOfInt8};

}  // namespace sfumato::cpu
