#include "cuda/attention_kernel.h"
#include "cuda/launch.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(AttentionKernel<32, 1, 4>)
SFUMATO_LAUNCH(AttentionKernel<32, 3, 4>)
SFUMATO_LAUNCH(AttentionKernel<64, 1, 4>)
SFUMATO_LAUNCH(AttentionKernel<64, 3, 4>)
SFUMATO_LAUNCH(AttentionKernel<128, 1, 4>)
SFUMATO_LAUNCH(AttentionKernel<128, 3, 4>)
SFUMATO_LAUNCH(AttentionKernel<256, 1, 4>)
SFUMATO_LAUNCH(AttentionKernel<256, 1, 8>)
SFUMATO_LAUNCH(AttentionKernel<256, 3, 4>)
SFUMATO_LAUNCH(AttentionKernel<512, 1, 4>)
SFUMATO_LAUNCH(AttentionKernel<512, 1, 8>)
SFUMATO_LAUNCH(AttentionKernel<512, 3, 4>)

}  // namespace sfumato::cuda
