// The core as sfumato_compare_logits takes it: on the CPU in F32, and for SFUMATO_PRODUCT_FP8_INPUTS with inputs of dense
// products rounded to E4M3 as the CUDA core rounds them (QuantiseRowsKernel). Weights are those of the checkpoint.
#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/number_formats.h"
#include "cpu/cpu_backend.h"
#include "engine/library.h"
#include "engine/model_engine.h"

namespace sfumato {
namespace {

class RoundedInputs : public cpu::CpuBackend {
 public:
  using CpuBackend::CpuBackend;

  std::unique_ptr<PackedMatrix> Pack(const std::vector<TensorView>& parts) override {
    return Note(CpuBackend::Pack(parts));
  }
  std::unique_ptr<PackedMatrix> PackGated(const TensorView& gate, const TensorView& up) override {
    return Note(CpuBackend::PackGated(gate, up));
  }
  std::unique_ptr<PackedMatrix> PackExpert(const TensorView& matrix) override { return CpuBackend::Pack({matrix}); }
  std::unique_ptr<PackedMatrix> PackGatedExpert(const TensorView& gate, const TensorView& up) override {
    return CpuBackend::PackGated(gate, up);
  }
  std::unique_ptr<PackedMatrix> PackHead(const TensorView& matrix) override { return CpuBackend::Pack({matrix}); }

  void Matmul(const MatmulArguments& arguments) override {
    if (!dense_.contains(arguments.weights)) return CpuBackend::Matmul(arguments);
    const int64_t inner = arguments.weights->inner();
    rows_.assign(arguments.input.floats, arguments.input.floats + arguments.rows * inner);
    for (int64_t row = 0; row < arguments.rows; ++row) Round(rows_.data() + row * inner, inner);
    MatmulArguments rounded = arguments;
    rounded.input = rows_.data();
    CpuBackend::Matmul(rounded);
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
    const float scale = Float8ScaleOf(largest);
    for (int64_t i = 0; i < width; ++i) row[i] = FromFloat8(ToFloat8(row[i] / scale)) * scale;
  }

  std::set<const PackedMatrix*> dense_;
  std::vector<float> rows_;
};

}  // namespace

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  if (options.products != ProductFormat::kFp8Inputs)
    return std::make_unique<cpu::CpuBackend>(options.instruction_set, options.products, options.threads, limits);
  return std::make_unique<RoundedInputs>(options.instruction_set, ProductFormat::kFloat32, options.threads, limits);
}

std::unique_ptr<Engine> OpenEngine(const sfumato_options& options) {
  return std::make_unique<ModelEngine>(EngineOptions::Check(options));
}

void CheckDevice(sfumato_device device, int32_t) {
  if (device == SFUMATO_DEVICE_CUDA) Fail(SFUMATO_FAILED_PRECONDITION, "device", "CUDA", "a CPU, in this program");
}

}  // namespace sfumato
