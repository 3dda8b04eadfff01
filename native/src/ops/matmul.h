#ifndef SFUMATO_OPS_MATMUL_H_
#define SFUMATO_OPS_MATMUL_H_

#include <cstdint>

#include "base/profile.h"
#include "ops/epilogue.h"
#include "ops/operand.h"

namespace sfumato {

/// What the products of a backend's matrices are computed in; both operands are rounded to it, except by FP8 and INT4, which
/// the weights are rounded to, the inputs to bfloat16. FP8 inputs are those of Pack and PackGated.
enum class ProductFormat { kFloat32, kBfloat16, kInt8, kFp8, kInt4, kFp8Inputs };

/// Weights [outputs, inner] in the form that the backend's products want. Those that the file has as bfloat16 stay so
/// unless they are rounded.
class PackedMatrix {
 public:
  virtual ~PackedMatrix() = default;

  int64_t outputs() const { return outputs_; }
  int64_t inner() const { return inner_; }
  bool gated() const { return gated_; }
  virtual int64_t bytes() const = 0;

 protected:
  PackedMatrix(int64_t outputs, int64_t inner, bool gated) : outputs_(outputs), inner_(inner), gated_(gated) {}

 private:
  int64_t outputs_;
  int64_t inner_;
  bool gated_;
};

/// output = epilogue(input times weights transposed + bias). A row of the output depends on the same row of the input
/// only, bit for bit, whatever the other rows and their number.
struct MatmulArguments {
  Part part;
  OperandView input;  // [rows, inner]
  int64_t rows;
  const PackedMatrix* weights;
  const float* bias = nullptr;  // [outputs]
  Epilogue epilogue = Epilogue::kStore;
  Operand output;  // [rows, outputs]; floats for kAdd
};

/// Weights of several groups of rows.
class MatrixGroup {
 public:
  virtual ~MatrixGroup() = default;
};

/// A product for each group of rows with weights of its own.
struct GroupedMatmulArguments {
  Part part;
  OperandView input;          // [rows, inner], or as many rows as input_rows tells of
  const int32_t* input_rows;  // [rows] of the input, one for each row of the output; null where it is the same
  int64_t rows;               // of all groups
  const int32_t* ends;        // [groups] one more than the last row of each
  const MatrixGroup* weights;
  Epilogue epilogue = Epilogue::kStore;
  Operand output;  // [rows, outputs]; floats for kAdd
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_MATMUL_H_
