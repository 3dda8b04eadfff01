#include "cuda/launch.h"
#include "cuda/product_kernel.h"

namespace sfumato::cuda {

// Compiled for sm_89 as well, whose tensor cores multiply E4M3 numbers; see CMakeLists.txt.
SFUMATO_LAUNCH(ProductKernel<2, 1, Fp8PairWeights, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Fp8PairWeights, 4>)
SFUMATO_LAUNCH(LargeProductKernel<8, Fp8PairWeights>)

}  // namespace sfumato::cuda
