#ifndef SFUMATO_TEST_CPU_EMULATED_KERNELS_H_
#define SFUMATO_TEST_CPU_EMULATED_KERNELS_H_

#include "cpu/kernels.h"

namespace sfumato::cpu {

/// The AVX-512 kernels from their own sources, with the instructions emulated: slow, and right on any CPU.
extern const Kernels kEmulatedAvx512Kernels;
extern const Bfloat16Kernels kEmulatedBfloat16Kernels;
extern const Int8Kernels kEmulatedInt8Kernels;
extern const Int8Kernels kEmulatedVnniInt8Kernels;

}  // namespace sfumato::cpu

#endif  // SFUMATO_TEST_CPU_EMULATED_KERNELS_H_
