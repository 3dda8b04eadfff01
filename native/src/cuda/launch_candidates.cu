#include "cuda/candidate_kernels.h"
#include "cuda/launch.h"
#include "cuda/soft_embedding_kernels.h"

namespace sfumato::cuda {

SFUMATO_LAUNCH(MeasureKernel<8, 1, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MeasureKernel<8, 1, Fp8Weights>)
SFUMATO_LAUNCH(MeasureKernel<4, 3, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MeasureKernel<4, 3, Bfloat16Weights<3>>)
SFUMATO_LAUNCH(FinishKernel<1, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(FinishKernel<1, Fp8Weights>)
SFUMATO_LAUNCH(FinishKernel<3, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(FinishKernel<3, Bfloat16Weights<3>>)
SFUMATO_LAUNCH(FillKernel)
SFUMATO_LAUNCH(WeighTokensKernel<8, 1, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(WeighTokensKernel<8, 1, Fp8Weights>)
SFUMATO_LAUNCH(WeighTokensKernel<4, 3, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(WeighTokensKernel<4, 3, Bfloat16Weights<3>>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<8, 1, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<8, 1, Fp8Weights>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<4, 3, Bfloat16Weights<1>>)
SFUMATO_LAUNCH(MixEmbeddingsKernel<4, 3, Bfloat16Weights<3>>)
SFUMATO_LAUNCH(PlaceSoftEmbeddingKernel)

}  // namespace sfumato::cuda
