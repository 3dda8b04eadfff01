#include "cuda/dense_stage.h"

#include "base/number_formats.h"
#include "cuda/dense_kernels.h"

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
                         const std::vector<TensorView>& parts, bool gated)
    : PackedMatrix(gated ? parts.front().shape[0] : product.outputs(), product.inner(), gated),
      product_(product),
      numbers_(device, product.outputs() * product.inner()) {
  if (device.plans_only()) return;
  const int64_t batch = std::max<int64_t>(1, HostStaging::kBytes / (2 * inner()));
  std::vector<float> floats(static_cast<size_t>(pool.threads() * inner()));
  uint16_t* target = numbers_.data();
  for (const TensorView& part : parts) {
    for (int64_t first = 0; first < part.shape[0]; first += batch) {
      const int64_t rows = std::min(batch, part.shape[0] - first);
      auto* packed = reinterpret_cast<uint16_t*>(staging.Next(rows * inner() * 2));
      pool.Run(rows, [&](int64_t row, int thread) noexcept {
        float* numbers = floats.data() + thread * inner();
        ReadFloats(part, (first + row) * inner(), inner(), numbers);
        std::transform(numbers, numbers + inner(), packed + row * inner(), ToBfloat16);
      });
      staging.Send(target, rows * inner() * 2);
      target += rows * inner();
    }
  }
}

std::unique_ptr<DenseMatrix> DenseStage::Pack(HostStaging& staging, ThreadPool& pool,
                                              const std::vector<TensorView>& parts, bool gated) {
  const DenseProduct* product = products_->Choose(OutputsOf(parts), parts.front().shape[1]);
  if (product == nullptr) return nullptr;
  ++matrices_;
  widest_inner_ = std::max(widest_inner_, product->inner());
  widest_outputs_ = std::max(widest_outputs_, product->outputs());
  return std::make_unique<DenseMatrix>(device_, staging, pool, *product, parts, gated);
}

void DenseStage::Reserve() {
  if (rows_.size() < WorkRows() * widest_inner_) rows_ = DeviceArray<uint16_t>(device_, WorkRows() * widest_inner_);
  if (sums_.size() < WorkRows() * widest_outputs_) sums_ = DeviceArray<float>(device_, WorkRows() * widest_outputs_);
}

void DenseStage::Run(const MatmulArguments& arguments) {
  const auto& matrix = static_cast<const DenseMatrix&>(*arguments.weights);
  const DenseProduct& product = matrix.product();
  const int64_t tile = product.row_tile();
  const Input input = {arguments.input.floats, arguments.input.bfloat16s};
  const Output output = {arguments.output.floats, arguments.output.bfloat16s};
  const uint16_t* rounded = IsAligned(arguments.input.bfloat16s) ? arguments.input.bfloat16s : nullptr;
  // Alone in float both ways of adding round the same sum once.
  const bool only_sums = arguments.bias == nullptr && arguments.output.floats != nullptr &&
                         IsAligned(arguments.output.floats) &&
                         (arguments.epilogue == Epilogue::kStore || arguments.epilogue == Epilogue::kAdd);
  if (rounded != nullptr && only_sums && arguments.rows % tile == 0 && arguments.rows <= products_->most_rows()) {
    product.Start(device_, matrix.data(), rounded, arguments.rows, arguments.epilogue == Epilogue::kAdd,
                  arguments.output.floats);
    return;
  }
  Reserve();
  for (int64_t first = 0; first < arguments.rows; first += WorkRows()) {
    const int64_t rows = std::min(WorkRows(), arguments.rows - first);
    const int64_t whole = Quotient(rows, tile) * tile;
    const uint16_t* from = rows_.data();
    if (rounded != nullptr && whole == rows) {
      from = rounded + first * product.inner();
    } else {
      Launch(device_, TileRowsKernel{input, first, rows, product.inner(), rows_.data()},
             {whole, Quotient(product.inner(), kRowThreads), 1});
    }
    product.Start(device_, matrix.data(), from, whole, false, sums_.data());
    Launch(device_,
           FinishProductKernel{sums_.data(), matrix.outputs(), matrix.gated(), arguments.bias, arguments.epilogue,
                               first, output},
           {rows, Quotient(matrix.outputs(), kRowThreads), 1});
  }
}

std::string DenseStage::Name() const {
  return std::to_string(matrices_) + " matrices by cuBLASLt " + products_->library().version();
}

}  // namespace sfumato::cuda
