#include "cuda/dense_kernels.h"
#include "cuda/launch.h"
#include "cuda/quantise_kernel.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(TileRowsKernel)
SFUMATO_LAUNCH(FinishProductKernel)
SFUMATO_LAUNCH(QuantiseRowsKernel)

}  // namespace sfumato::cuda
