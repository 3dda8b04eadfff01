#ifndef SFUMATO_OPS_EPILOGUE_H_
#define SFUMATO_OPS_EPILOGUE_H_

namespace sfumato {

/// What happens to a product, its bias included, before it is stored.
enum class Epilogue {
  kStore,
  /// Added to what the output holds: the residual connection.
  kAdd,
  /// GELU by the error function.
  kGelu,
  /// SiLU of the gate times the other half; for gated weights, and without a bias.
  kGatedSilu,
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_EPILOGUE_H_
