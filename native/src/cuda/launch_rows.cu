#include "cuda/launch.h"
#include "cuda/router_kernels.h"
#include "cuda/row_kernels.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(EmbedKernel)
SFUMATO_LAUNCH(RmsNormKernel)
SFUMATO_LAUNCH(LayerNormKernel)
SFUMATO_LAUNCH(HeadNormKernel)
SFUMATO_LAUNCH(RopeKernel)
SFUMATO_LAUNCH(WriteKeyValuesKernel)
SFUMATO_LAUNCH(GatherKernel)
SFUMATO_LAUNCH(SumKernel)
SFUMATO_LAUNCH(RouteKernel)
SFUMATO_LAUNCH(PlaceKernel)
SFUMATO_LAUNCH(CombineKernel)

}  // namespace sfumato::cuda
