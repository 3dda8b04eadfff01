#ifndef SFUMATO_LAYERS_LINEAR_H_
#define SFUMATO_LAYERS_LINEAR_H_

#include <memory>

#include "ops/backend.h"

namespace sfumato {

/// A product with fixed weights and perhaps a bias.
struct Linear {
  std::unique_ptr<PackedMatrix> weights;
  std::unique_ptr<Buffer> bias;

  void Run(Backend& backend, Part part, OperandView input, int64_t rows, Epilogue epilogue, Operand output) const {
    backend.Matmul({part, input, rows, weights.get(), bias == nullptr ? nullptr : bias->data(), epilogue, output});
  }
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_LINEAR_H_
