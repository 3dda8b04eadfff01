#include "cuda/candidate_kernels.h"
#include "cuda/launch.h"
#include "cuda/soft_embedding_kernels.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(GatherCandidatesKernel)
SFUMATO_LAUNCH(MeasureKernel)
SFUMATO_LAUNCH(FinishKernel)
SFUMATO_LAUNCH(WeighTokensKernel<true>)
SFUMATO_LAUNCH(WeighTokensKernel<false>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<8, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<16, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<8, Fp8Weights>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<16, Fp8Weights>)
SFUMATO_LAUNCH(MixExactEmbeddingsKernel<4, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MixExactEmbeddingsKernel<4, Bfloat16Weights<3>>)
SFUMATO_LAUNCH(PlaceSoftEmbeddingKernel)

}  // namespace sfumato::cuda
