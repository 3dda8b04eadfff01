#ifndef SFUMATO_BENCH_ROUNDED_INPUTS_H_
#define SFUMATO_BENCH_ROUNDED_INPUTS_H_

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include "base/number_formats.h"
#include "ops/backend.h"

namespace sfumato::bench {

/// A backend, whose memory is the host's and which does everything at once, with inputs of dense products rounded to E4M3 as
/// the CUDA core rounds them for SFUMATO_PRODUCT_FP8_INPUTS. Weights are those of the checkpoint.
template <class Base>
class RoundedInputs : public Base {
 public:
  using Base::Base;

  std::unique_ptr<PackedMatrix> Pack(const std::vector<TensorView>& parts) override { return Note(Base::Pack(parts)); }
  std::unique_ptr<PackedMatrix> PackGated(const TensorView& gate, const TensorView& up) override {
    return Note(Base::PackGated(gate, up));
  }
  std::unique_ptr<PackedMatrix> PackExpert(const TensorView& matrix) override { return Base::Pack({matrix}); }
  std::unique_ptr<PackedMatrix> PackGatedExpert(const TensorView& gate, const TensorView& up) override {
    return Base::PackGated(gate, up);
  }
  std::unique_ptr<PackedMatrix> PackHead(const TensorView& matrix) override { return Base::Pack({matrix}); }

  void Matmul(const MatmulArguments& arguments) override {
    if (this->plans_only() || !dense_.contains(arguments.weights)) return Base::Matmul(arguments);
    const int64_t inner = arguments.weights->inner();
    const int64_t size = arguments.rows * inner;
    const OperandView& input = arguments.input;
    rows_.resize(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; ++i)
      rows_[static_cast<size_t>(i)] = input.floats != nullptr ? input.floats[i] : FromBfloat16(input.bfloat16s[i]);
    for (int64_t row = 0; row < arguments.rows; ++row) Round(rows_.data() + row * inner, inner);
    MatmulArguments rounded = arguments;
    rounded.input = rows_.data();
    Base::Matmul(rounded);
  }

 private:
  std::unique_ptr<PackedMatrix> Note(std::unique_ptr<PackedMatrix> matrix) {
    dense_.insert(matrix.get());
    return matrix;
  }

  static void Round(float* row, int64_t width) {
    float largest = 0;
    for (int64_t i = 0; i < width; ++i) largest = std::max(largest, std::fabs(row[i]));
    if (largest == 0) return;
    int exponent = 0;
    const float fraction = std::frexp(largest / kMaxFloat8, &exponent);
    const float scale = std::ldexp(fraction == 0.5f ? 0.5f : 1.0f, exponent);
    for (int64_t i = 0; i < width; ++i) row[i] = FromFloat8(ToFloat8(row[i] / scale)) * scale;
  }

  std::set<const PackedMatrix*> dense_;
  std::vector<float> rows_;
};

}  // namespace sfumato::bench

#endif  // SFUMATO_BENCH_ROUNDED_INPUTS_H_
