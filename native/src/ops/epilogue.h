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
  /// An activation of the gate times the other half; for gated weights, and without a bias.
  kGatedSilu,
  kGatedGelu,
  /// With GELU by the hyperbolic tangent.
  kGatedGeluTanh,
};

constexpr bool IsGated(Epilogue epilogue) {
  return epilogue == Epilogue::kGatedSilu || epilogue == Epilogue::kGatedGelu || epilogue == Epilogue::kGatedGeluTanh;
}

}  // namespace sfumato

#endif  // SFUMATO_OPS_EPILOGUE_H_
