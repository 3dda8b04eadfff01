#ifndef SFUMATO_CUDA_CAPABILITY_H_
#define SFUMATO_CUDA_CAPABILITY_H_

#include <string>
#include <vector>

namespace sfumato::cuda {

/// Throws FAILED_PRECONDITION unless code for one of the architectures, e.g. {"sm_80", "sm_90a", "compute_120"}, runs on a
/// GPU of that compute capability, e.g. 89: code of sm_80 on every 8.x, of sm_90a on 9.0 alone; of compute_120, which the
/// driver compiles, on 12.0 and everything newer.
void CheckCapability(int capability, const std::vector<std::string>& architectures);

/// The same for products of inputs in E4M3, which code of sm_89 and newer has.
void CheckFloat8Capability(int capability, const std::vector<std::string>& architectures);

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CAPABILITY_H_
