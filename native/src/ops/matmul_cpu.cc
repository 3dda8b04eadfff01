#include <algorithm>
#include <utility>
#include <vector>

#include "cpu/cpu_backend.h"
#include "cpu/product_plan.h"

namespace sfumato::cpu {
namespace {

struct CpuMatrixGroup : MatrixGroup {
  explicit CpuMatrixGroup(const std::vector<const PackedMatrix*>& all) : matrices(all) {}

  std::vector<const PackedMatrix*> matrices;
};

}  // namespace

template <class Source>
void CpuBackend::WritePanels(CpuMatrix& matrix, const Source& source) {
  const int64_t inner = matrix.inner();
  std::vector<float> rows(static_cast<size_t>(inner * pool_.threads()));
  pool_.Run(matrix.panel_count(), [&](int64_t panel, int thread) noexcept {
    float* row = rows.data() + thread * inner;
    for (int64_t column = 0; column < kernels_.panel_width; ++column) {
      const auto [tensor, index] = source(panel, column);
      if (tensor == nullptr) continue;
      ReadFloats(*tensor, index * inner, inner, row);
      CountRead(inner * BytesPerNumber(tensor->type));
      matrix.Write(panel, column, row);
    }
  });
  CountWeights(matrix.bytes());
}

std::unique_ptr<PackedMatrix> CpuBackend::PackStacked(const std::vector<TensorView>& parts, bool exact) {
  int64_t outputs = 0;
  for (const TensorView& part : parts) outputs += part.shape[0];
  // One format for all of a matrix: bfloat16 only where no part would lose by it.
  const bool bfloat16 =
      std::all_of(parts.begin(), parts.end(), [](const TensorView& part) { return part.type == DataType::kBfloat16; });
  auto matrix = products_.NewMatrix(outputs, parts.front().shape[1], false,
                                    bfloat16 ? DataType::kBfloat16 : DataType::kFloat32, exact);
  WritePanels(*matrix, [&](int64_t panel, int64_t column) -> std::pair<const TensorView*, int64_t> {
    int64_t row = panel * kernels_.panel_width + column;
    for (const TensorView& part : parts) {
      if (row < part.shape[0]) return {&part, row};
      row -= part.shape[0];
    }
    return {nullptr, 0};
  });
  return matrix;
}

std::unique_ptr<PackedMatrix> CpuBackend::Pack(const std::vector<TensorView>& parts) {
  return PackStacked(parts, false);
}

std::unique_ptr<PackedMatrix> CpuBackend::PackExact(const TensorView& matrix) { return PackStacked({matrix}, true); }

std::unique_ptr<PackedMatrix> CpuBackend::PackGated(const TensorView& gate, const TensorView& up) {
  const int64_t outputs = gate.shape[0];
  const int64_t half = kernels_.panel_width / 2;
  const bool bfloat16 = gate.type == DataType::kBfloat16 && up.type == DataType::kBfloat16;
  auto matrix =
      products_.NewMatrix(outputs, gate.shape[1], true, bfloat16 ? DataType::kBfloat16 : DataType::kFloat32, false);
  WritePanels(*matrix, [&](int64_t panel, int64_t column) -> std::pair<const TensorView*, int64_t> {
    const int64_t row = panel * half + column % half;
    if (row >= outputs) return {nullptr, 0};
    return {column < half ? &gate : &up, row};
  });
  return matrix;
}

void CpuBackend::Matmul(const MatmulArguments& arguments) { MultiplyRows(arguments, nullptr); }

void CpuBackend::MultiplyRows(const MatmulArguments& arguments, const int32_t* input_rows) {
  const auto& weights = static_cast<const CpuMatrix&>(*arguments.weights);
  const int64_t width = weights.columns_per_panel();
  const ProfileScope scope(profile(), arguments.part,
                           2 * arguments.rows * weights.inner() * weights.outputs() * (weights.gated() ? 2 : 1));
  const ProductPlan plan = PlanProduct(arguments.rows, weights.panel_count(), kRowTile, pool_.threads());
  pool_.Run(plan.tasks(), [&](int64_t task, int thread) noexcept {
    const int64_t row_tile = task / plan.panel_groups;
    const int64_t group = task % plan.panel_groups;
    const int64_t first_row = arguments.rows * row_tile / plan.row_tiles;
    const int64_t end_row = arguments.rows * (row_tile + 1) / plan.row_tiles;
    const int64_t end_panel = weights.panel_count() * (group + 1) / plan.panel_groups;
    const float* input = arguments.input.floats + first_row * weights.inner();
    if (input_rows != nullptr) {
      float* gathered = gathered_.data() + static_cast<int64_t>(gathered_.size()) / pool_.threads() * thread;
      for (int64_t row = first_row; row < end_row; ++row) {
        std::copy_n(arguments.input.floats + input_rows[row] * weights.inner(), weights.inner(),
                    gathered + (row - first_row) * weights.inner());
      }
      input = gathered;
    }
    products_.SetInput(weights, input, end_row - first_row, thread);
    // Partial sums of at most kMaxTileColumns columns fit the scratch.
    const int64_t step = weights.elements() > kProductBlock ? kMaxTileColumns / kernels_.panel_width : end_panel;
    for (int64_t panel = weights.panel_count() * group / plan.panel_groups; panel < end_panel; panel += step) {
      const int64_t first_column = panel * width;
      const int64_t end_column = std::min(std::min(panel + step, end_panel) * width, weights.outputs());
      ProductTile<float> tile = {};
      tile.columns = end_column - first_column;
      tile.bias = arguments.bias == nullptr ? nullptr : arguments.bias + first_column;
      tile.epilogue = arguments.epilogue;
      tile.output = arguments.output.floats + first_row * weights.outputs() + first_column;
      tile.output_stride = weights.outputs();
      tile.scratch = product_scratch_.data() + thread * kRowTile * kMaxTileColumns;
      products_.Run(weights, panel, tile, thread);
    }
  });
}

std::unique_ptr<MatrixGroup> CpuBackend::Group(const std::vector<const PackedMatrix*>& matrices) {
  const auto size = static_cast<size_t>(pool_.threads() * kRowTile * matrices.front()->inner());
  if (size > gathered_.size()) gathered_ = AlignedBuffer<float>(size);
  return std::make_unique<CpuMatrixGroup>(matrices);
}

void CpuBackend::GroupedMatmul(const GroupedMatmulArguments& arguments) {
  int64_t start = 0;
  const int32_t* end = arguments.ends;
  for (const PackedMatrix* matrix : static_cast<const CpuMatrixGroup&>(*arguments.weights).matrices) {
    const int64_t count = *end++ - start;
    if (count > 0) {
      const bool placed = arguments.input_rows != nullptr;
      MultiplyRows({arguments.part, arguments.input.floats + (placed ? 0 : start * matrix->inner()), count, matrix,
                    nullptr, arguments.epilogue, arguments.output.floats + start * matrix->outputs()},
                   placed ? arguments.input_rows + start : nullptr);
    }
    start += count;
  }
}

}  // namespace sfumato::cpu
