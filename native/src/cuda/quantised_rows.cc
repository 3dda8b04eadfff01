#include "cuda/quantised_rows.h"

#include "cuda/quantise_kernel.h"

namespace sfumato::cuda {

void QuantisedRows::Reserve() {
  if (numbers_.size() >= rows_ * widest_) return;
  numbers_ = DeviceArray<uint8_t>(device_, rows_ * widest_);
  if (scales_.size() == 0) scales_ = DeviceArray<float>(device_, rows_);
}

void QuantisedRows::Write(const OperandView& input, int64_t first, int64_t rows, int64_t whole, int64_t width) {
  Reserve();
  Launch(device_,
         QuantiseRowsKernel{{input.floats, input.bfloat16s},
                            first,
                            rows,
                            width,
                            WidthOf(width) / 4,
                            reinterpret_cast<uint32_t*>(numbers_.data()),
                            scales_.data()},
         {whole, 1, 1});
}

}  // namespace sfumato::cuda
