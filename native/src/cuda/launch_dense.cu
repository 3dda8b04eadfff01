#include "cuda/dense_kernels.h"
#include "cuda/launch.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(TileRowsKernel)
SFUMATO_LAUNCH(FinishProductKernel)

}  // namespace sfumato::cuda
