#ifndef SFUMATO_BASE_CPU_FEATURES_H_
#define SFUMATO_BASE_CPU_FEATURES_H_

namespace sfumato {

/// Sets of kernels, from least to most demanding.
enum class InstructionSet { kPortable, kAvx2, kAvx512 };

/// Whether this CPU and its operating system can run the kernels of the set.
bool Supports(InstructionSet set);

/// Whether this CPU multiplies BF16 numbers (AVX512_BF16).
bool SupportsBfloat16Products();

/// Whether this CPU multiplies and adds quads of 8 bits in vectors of the set's width (AVX512_VNNI, AVX_VNNI).
bool SupportsInt8Products(InstructionSet set);

/// The most demanding set that this CPU supports.
InstructionSet BestInstructionSet();

const char* InstructionSetName(InstructionSet set);

/// Cores that this process may use, at least 1.
int UsableCores();

}  // namespace sfumato

#endif  // SFUMATO_BASE_CPU_FEATURES_H_
