#ifndef SFUMATO_OPS_OPERAND_H_
#define SFUMATO_OPS_OPERAND_H_

#include <cstdint>

namespace sfumato {

/// Numbers in a device's memory that products and attention read: floats, or bfloat16 numbers where the backend rounds
/// them anyway and keeps them so. At most one of the two is there.
template <class Float, class Bfloat16>
struct BasicOperand {
  BasicOperand() = default;
  BasicOperand(Float* numbers) : floats(numbers) {}
  explicit BasicOperand(Bfloat16* numbers) : bfloat16s(numbers) {}
  template <class OtherFloat, class OtherBfloat16>
  BasicOperand(const BasicOperand<OtherFloat, OtherBfloat16>& other)
      : floats(other.floats), bfloat16s(other.bfloat16s) {}

  bool IsNull() const { return floats == nullptr && bfloat16s == nullptr; }
  /// The numbers from the given one on.
  BasicOperand From(int64_t first) const {
    return floats == nullptr ? BasicOperand(bfloat16s + first) : BasicOperand(floats + first);
  }

  Float* floats = nullptr;
  Bfloat16* bfloat16s = nullptr;
};

using Operand = BasicOperand<float, uint16_t>;
using OperandView = BasicOperand<const float, const uint16_t>;

}  // namespace sfumato

#endif  // SFUMATO_OPS_OPERAND_H_
