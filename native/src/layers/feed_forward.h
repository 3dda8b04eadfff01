#ifndef SFUMATO_LAYERS_FEED_FORWARD_H_
#define SFUMATO_LAYERS_FEED_FORWARD_H_

#include "layers/linear.h"

namespace sfumato {

/// A wide layer with an activation and the way back: down(activation(up(input))).
struct FeedForward {
  Linear up;
  Linear down;
  Epilogue activation;

  /// Adds to the residual. inner: [rows, up's outputs]
  void Run(Backend& backend, OperandView input, int64_t rows, Operand inner, float* residual) const {
    up.Run(backend, Part::kFeedForward, input, rows, activation, inner);
    down.Run(backend, Part::kFeedForward, inner, rows, Epilogue::kAdd, residual);
  }

  /// Writes the output.
  void RunInto(Backend& backend, OperandView input, int64_t rows, Operand inner, float* output) const {
    up.Run(backend, Part::kFeedForward, input, rows, activation, inner);
    down.Run(backend, Part::kFeedForward, inner, rows, Epilogue::kStore, output);
  }
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_FEED_FORWARD_H_
