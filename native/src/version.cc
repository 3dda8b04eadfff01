#include "sfumato_engine.h"

int32_t sfumato_abi_version(void) { return SFUMATO_ABI_VERSION; }
