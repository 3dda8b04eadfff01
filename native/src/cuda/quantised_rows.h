#ifndef SFUMATO_CUDA_QUANTISED_ROWS_H_
#define SFUMATO_CUDA_QUANTISED_ROWS_H_

#include <algorithm>
#include <cstdint>

#include "cuda/device.h"
#include "ops/operand.h"

namespace sfumato::cuda {

/// Inputs of products in E4M3, as QuantiseRowsKernel writes them, in a work space of their own.
class QuantisedRows {
 public:
  /// Rows are filled up to a multiple of so many numbers.
  static constexpr int64_t kTile = 32;
  /// Rows that there is room for are filled up to a multiple of so many.
  static constexpr int64_t kRowTile = 256;

  QuantisedRows(Device& device, int64_t max_rows)
      : device_(device), rows_(std::min<int64_t>(1024, (max_rows + kRowTile - 1) / kRowTile * kRowTile)) {}

  /// That many can be quantised at once.
  int64_t rows() const { return rows_; }
  /// Rows of so many numbers will come.
  void Expect(int64_t width) { widest_ = std::max(widest_, WidthOf(width)); }
  /// Allocates what was expected so far.
  void Reserve();
  /// `whole` rows, of which the input [.., width] has `rows` from the first on.
  void Write(const OperandView& input, int64_t first, int64_t rows, int64_t whole, int64_t width);

  const uint8_t* numbers() const { return numbers_.data(); }  // [whole, WidthOf(width)]
  const float* scales() const { return scales_.data(); }      // [whole]
  int64_t bytes() const { return numbers_.bytes() + scales_.bytes(); }

 private:
  static int64_t WidthOf(int64_t width) { return (width + kTile - 1) / kTile * kTile; }

  Device& device_;
  const int64_t rows_;
  int64_t widest_ = 0;
  DeviceArray<uint8_t> numbers_;
  DeviceArray<float> scales_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_QUANTISED_ROWS_H_
