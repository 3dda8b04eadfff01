#include "engine/test_engine.h"

#include "base/cpu_features.h"

namespace sfumato::test {

std::vector<sfumato_instruction_set> SupportedInstructionSets() {
  std::vector<sfumato_instruction_set> sets = {SFUMATO_ISA_PORTABLE};
  if (Supports(InstructionSet::kAvx2)) sets.push_back(SFUMATO_ISA_AVX2);
  if (Supports(InstructionSet::kAvx512)) sets.push_back(SFUMATO_ISA_AVX512);
  return sets;
}

}  // namespace sfumato::test
