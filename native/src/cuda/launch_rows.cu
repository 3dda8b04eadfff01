#include "cuda/launch.h"
#include "cuda/router_kernels.h"
#include "cuda/row_kernels.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(EmbedKernel)
SFUMATO_LAUNCH(RmsNormKernel)
SFUMATO_LAUNCH(LayerNormKernel)
SFUMATO_LAUNCH(HeadsKernel)
SFUMATO_LAUNCH(WriteKeyValuesKernel<float>)
SFUMATO_LAUNCH(WriteKeyValuesKernel<uint16_t>)
SFUMATO_LAUNCH(GatherKernel<float>)
SFUMATO_LAUNCH(GatherKernel<uint16_t>)
SFUMATO_LAUNCH(ResidualKernel)
SFUMATO_LAUNCH(ScaleKernel)
SFUMATO_LAUNCH(RouteKernel)
SFUMATO_LAUNCH(PlaceKernel)
SFUMATO_LAUNCH(CombineKernel)

}  // namespace sfumato::cuda
