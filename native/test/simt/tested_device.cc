#include "simt/simt_device.h"

namespace sfumato::test {

std::unique_ptr<cuda::Device> MakeTestedDevice() { return std::make_unique<SimtDevice>(); }

}  // namespace sfumato::test
