// A plug-in of another version of the interface.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int32_t sfumato_abi_version() { return 3; }
