#ifndef SFUMATO_CUDA_EPILOGUE_MATH_H_
#define SFUMATO_CUDA_EPILOGUE_MATH_H_

// What becomes of a product's sums: ops/epilogue.h on a device.

#include <cstdint>

#include "cuda/simt.h"
#include "ops/epilogue.h"

namespace sfumato::cuda {

SFUMATO_DEVICE float Silu(float x) { return x / (1.0f + expf(-x)); }
SFUMATO_DEVICE float Gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f)); }
SFUMATO_DEVICE float GeluTanh(float x) {
  return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}

/// Stores a gate's and its partner's sums.
SFUMATO_DEVICE void FinishGated(Epilogue epilogue, float gate, float partner, const Output& output, int64_t place) {
  if (epilogue == Epilogue::kGatedSilu) {
    output.Store(place, Silu(gate) * partner);
  } else {
    output.Store(place, (epilogue == Epilogue::kGatedGelu ? Gelu(gate) : GeluTanh(gate)) * partner);
  }
}

/// Stores the sum of one of the outputs, to which the bias belongs; or adds it to the output's floats.
SFUMATO_DEVICE void FinishSum(Epilogue epilogue, float sum, const Global<const float>& bias, int64_t target,
                              const Output& output, int64_t place) {
  if (!bias.IsNull()) sum += bias[target];
  if (epilogue == Epilogue::kGelu) sum = Gelu(sum);
  output.Store(place, epilogue == Epilogue::kAdd ? output.floats[place] + sum : sum);
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_EPILOGUE_MATH_H_
