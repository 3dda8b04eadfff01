#include "cuda/dense_products.h"
#include "simt/fake_library.h"
#include "simt/simt_device.h"

namespace sfumato::test {

std::unique_ptr<cuda::Device> MakeTestedDevice() { return std::make_unique<SimtDevice>(); }

std::shared_ptr<cuda::DenseProducts> MakeTestedDense(cuda::Device& device, int64_t max_rows) {
  const FakeLibrary fake;
  return std::make_shared<cuda::DenseProducts>(fake.Load(), device, max_rows);
}

}  // namespace sfumato::test
