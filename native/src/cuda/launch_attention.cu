#include "cuda/attention_kernel.h"
#include "cuda/launch.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(AttentionKernel<32, 1>)
SFUMATO_LAUNCH(AttentionKernel<32, 3>)
SFUMATO_LAUNCH(AttentionKernel<64, 1>)
SFUMATO_LAUNCH(AttentionKernel<64, 3>)
SFUMATO_LAUNCH(AttentionKernel<128, 1>)
SFUMATO_LAUNCH(AttentionKernel<128, 3>)
SFUMATO_LAUNCH(AttentionKernel<256, 1>)
SFUMATO_LAUNCH(AttentionKernel<256, 1, 8>)
SFUMATO_LAUNCH(AttentionKernel<256, 3>)
SFUMATO_LAUNCH(AttentionKernel<512, 1>)
SFUMATO_LAUNCH(AttentionKernel<512, 1, 8>)
SFUMATO_LAUNCH(AttentionKernel<512, 3>)

}  // namespace sfumato::cuda
