#include "cuda/dense_stage.h"

#include <atomic>

#include "base/number_formats.h"
#include "cuda/dense_kernels.h"
#include "cuda/weight_packing.h"

namespace sfumato::cuda {
namespace {

int64_t Quotient(int64_t size, int64_t part) { return (size + part - 1) / part; }

int64_t OutputsOf(const std::vector<TensorView>& parts) {
  int64_t outputs = 0;
  for (const TensorView& part : parts) outputs += part.shape[0];
  return outputs;
}

bool IsAligned(const void* address) {
  return reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(DenseProducts::kOperandAlignment) == 0;
}

}  // namespace

DenseMatrix::DenseMatrix(Device& device, HostStaging& staging, ThreadPool& pool, const DenseProduct& product,
                         DenseType type, const std::vector<TensorView>& parts, bool gated)
    : PackedMatrix(gated ? parts.front().shape[0] : product.outputs(), product.inner(), gated),
      product_(product),
      numbers_(device, product.outputs() * product.inner() * (type == DenseType::kFloat8 ? 1 : 2)),
      scales_(device, type == DenseType::kFloat8 ? product.outputs() : 0) {
  if (device.plans_only()) return;
  const int64_t row_bytes = numbers_.bytes() / product.outputs();
  const int64_t batch = std::max<int64_t>(1, HostStaging::kBytes / row_bytes);
  std::vector<float> floats(static_cast<size_t>(pool.threads() * inner()));
  std::vector<float> scales(static_cast<size_t>(scales_.size()));
  std::atomic<int64_t> unusable = -1;
  uint8_t* target = numbers_.data();
  float* scale = scales.data();
  for (const TensorView& part : parts) {
    for (int64_t first = 0; first < part.shape[0]; first += batch) {
      const int64_t rows = std::min(batch, part.shape[0] - first);
      uint8_t* packed = staging.Next(rows * row_bytes);
      pool.Run(rows, [&](int64_t row, int thread) noexcept {
        float* numbers = floats.data() + thread * inner();
        ReadFloats(part, (first + row) * inner(), inner(), numbers);
        if (type == DenseType::kFloat8) {
          if (!PackFloat8(numbers, inner(), packed + row * row_bytes, scale + row)) unusable = first + row;
        } else {
          std::transform(numbers, numbers + inner(), reinterpret_cast<uint16_t*>(packed) + row * inner(), ToBfloat16);
        }
      });
      if (unusable >= 0) RefuseWeights(WeightFormat::kFp8Pairs, unusable);
      staging.Send(target, rows * row_bytes);
      target += rows * row_bytes;
      if (type == DenseType::kFloat8) scale += rows;
    }
  }
  if (scales_.size() > 0) device.Upload(scales_.data(), scales.data(), scales_.bytes());
}

std::unique_ptr<DenseMatrix> DenseStage::Pack(HostStaging& staging, ThreadPool& pool,
                                              const std::vector<TensorView>& parts, bool gated) {
  const bool float8 = products_->type() == DenseType::kFloat8;
  // Rows in E4M3 are filled up, which the product's are not.
  if (float8 && parts.front().shape[1] % QuantisedRows::kTile != 0) return nullptr;
  const DenseProduct* product = products_->Choose(OutputsOf(parts), parts.front().shape[1]);
  if (product == nullptr) return nullptr;
  ++matrices_;
  if (float8) {
    quantised_.Expect(product->inner());
  } else {
    widest_inner_ = std::max(widest_inner_, product->inner());
  }
  widest_outputs_ = std::max(widest_outputs_, product->outputs());
  return std::make_unique<DenseMatrix>(device_, staging, pool, *product, products_->type(), parts, gated);
}

void DenseStage::Reserve() {
  if (rows_.size() < WorkRows() * widest_inner_) rows_ = DeviceArray<uint16_t>(device_, WorkRows() * widest_inner_);
  if (sums_.size() < WorkRows() * widest_outputs_) sums_ = DeviceArray<float>(device_, WorkRows() * widest_outputs_);
}

bool DenseStage::InPlace(const MatmulArguments& arguments) const {
  const auto& product = static_cast<const DenseMatrix&>(*arguments.weights).product();
  // Alone in float both ways of adding round the same sum once.
  const bool only_sums = arguments.bias == nullptr && arguments.output.floats != nullptr &&
                         IsAligned(arguments.output.floats) &&
                         (arguments.epilogue == Epilogue::kStore || arguments.epilogue == Epilogue::kAdd);
  return products_->type() == DenseType::kBfloat16 && arguments.input.bfloat16s != nullptr &&
         IsAligned(arguments.input.bfloat16s) && only_sums && arguments.rows % product.row_tile() == 0 &&
         arguments.rows <= products_->most_rows();
}

void DenseStage::Run(const MatmulArguments& arguments) {
  const auto& matrix = static_cast<const DenseMatrix&>(*arguments.weights);
  const DenseProduct& product = matrix.product();
  const int64_t tile = product.row_tile();
  const Input input = {arguments.input.floats, arguments.input.bfloat16s};
  const Output output = {arguments.output.floats, arguments.output.bfloat16s};
  const uint16_t* rounded = IsAligned(arguments.input.bfloat16s) ? arguments.input.bfloat16s : nullptr;
  const bool float8 = products_->type() == DenseType::kFloat8;
  if (InPlace(arguments)) {
    product.Start(device_, matrix.data(), rounded, arguments.rows, arguments.epilogue == Epilogue::kAdd,
                  arguments.output.floats);
    return;
  }
  Reserve();
  for (int64_t first = 0; first < arguments.rows; first += WorkRows()) {
    const int64_t rows = std::min(WorkRows(), arguments.rows - first);
    const int64_t whole = Quotient(rows, tile) * tile;
    const void* from = rows_.data();
    if (float8) {
      quantised_.Write(arguments.input, first, rows, whole, product.inner());
      from = quantised_.numbers();
    } else if (rounded != nullptr && whole == rows) {
      from = rounded + first * product.inner();
    } else {
      Launch(device_, TileRowsKernel{input, first, rows, product.inner(), rows_.data()},
             {whole, Quotient(product.inner(), kRowThreads), 1});
    }
    product.Start(device_, matrix.data(), from, whole, false, sums_.data());
    Launch(device_,
           FinishProductKernel{sums_.data(), matrix.outputs(), matrix.gated(), arguments.bias, arguments.epilogue,
                               first, output, matrix.scales(), float8 ? quantised_.scales() : nullptr},
           {rows, Quotient(matrix.outputs(), kRowThreads), 1});
  }
}

std::string DenseStage::Name() const {
  return std::to_string(matrices_) + " matrices by cuBLASLt " + products_->library().version();
}

}  // namespace sfumato::cuda
