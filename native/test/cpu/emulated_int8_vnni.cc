#if defined(__x86_64__)

#include "cpu/emulated_avx512.h"
#include "cpu/emulated_kernels.h"

#define SFUMATO_SIMD_512
#define SFUMATO_VNNI

#include "cpu/int8_kernel.h"

namespace sfumato::cpu {

const Int8Kernels kEmulatedVnniInt8Kernels = {"int8 emulated, vnni", kPanelWidth, sizeof(InputQuad), Quantise,
                                              ProductOfInt8};

}  // namespace sfumato::cpu

#endif
