// Of test programs whose engine has no kernels to choose among.
#include "engine/test_engine.h"

namespace sfumato::test {

std::vector<sfumato_instruction_set> SupportedInstructionSets() { return {SFUMATO_ISA_AUTO}; }

}  // namespace sfumato::test
