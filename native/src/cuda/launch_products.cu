#include "cuda/launch.h"
#include "cuda/product_kernel.h"

namespace sfumato::cuda {

// The shapes of precision_tiles.h, and those for few rows, for many blocks and for many rows.
SFUMATO_LAUNCH(ProductKernel<2, 1, Bfloat16Weights<1>, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Bfloat16Weights<1>, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Bfloat16Weights<1>, 8>)
SFUMATO_LAUNCH(ProductKernel<8, 1, Bfloat16Weights<1>, 4>)
SFUMATO_LAUNCH(LargeProductKernel<8, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(LargeProductKernel<16, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(ProductKernel<2, 1, Fp8Weights, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Fp8Weights, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Fp8Weights, 8>)
SFUMATO_LAUNCH(ProductKernel<8, 1, Fp8Weights, 4>)
SFUMATO_LAUNCH(LargeProductKernel<8, Fp8Weights>)
SFUMATO_LAUNCH(LargeProductKernel<16, Fp8Weights>)
SFUMATO_LAUNCH(ProductKernel<2, 1, Int4Weights, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Int4Weights, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 1, Int4Weights, 8>)
SFUMATO_LAUNCH(ProductKernel<8, 1, Int4Weights, 4>)
SFUMATO_LAUNCH(LargeProductKernel<8, Int4Weights>)
SFUMATO_LAUNCH(LargeProductKernel<16, Int4Weights>)
SFUMATO_LAUNCH(ProductKernel<2, 3, Bfloat16Weights<1>, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 3, Bfloat16Weights<1>, 4>)
SFUMATO_LAUNCH(ProductKernel<2, 3, Bfloat16Weights<3>, 4>)
SFUMATO_LAUNCH(ProductKernel<4, 3, Bfloat16Weights<3>, 4>)

}  // namespace sfumato::cuda
