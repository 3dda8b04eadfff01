#include "base/cpu_features.h"

#include <sched.h>

#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sfumato {

bool Supports(InstructionSet set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (set) {
    case InstructionSet::kPortable:
      return true;
    case InstructionSet::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case InstructionSet::kAvx512:
      return Supports(InstructionSet::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  }
  return false;
#else
  return set == InstructionSet::kPortable;
#endif
}

bool SupportsBfloat16Products() {
#if defined(__x86_64__)
  return Supports(InstructionSet::kAvx512) && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool SupportsInt8Products(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx512) return Supports(set) && __builtin_cpu_supports("avx512vnni");
  // By number: compilers learned its name after its instructions.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return set == InstructionSet::kAvx2 && Supports(set) && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
         (eax & bit_AVXVNNI) != 0;
#else
  (void)set;
  return false;
#endif
}

InstructionSet BestInstructionSet() {
  if (Supports(InstructionSet::kAvx512)) return InstructionSet::kAvx512;
  if (Supports(InstructionSet::kAvx2)) return InstructionSet::kAvx2;
  return InstructionSet::kPortable;
}

const char* InstructionSetName(InstructionSet set) {
  switch (set) {
    case InstructionSet::kPortable:
      return "portable";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
  }
  return "unknown";
}

int UsableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    const int count = CPU_COUNT(&cores);
    if (count > 0) return count;
  }
  const unsigned count = std::thread::hardware_concurrency();
  return count > 0 ? static_cast<int>(count) : 1;
}

}  // namespace sfumato
