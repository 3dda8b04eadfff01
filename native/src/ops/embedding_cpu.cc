#include <algorithm>
#include <vector>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {
namespace {

/// The table in the format of the file: a lookup converts one row, while a copy in float would double the memory of a
/// BF16 model's largest tensor.
class CpuTable : public EmbeddingTable {
 public:
  explicit CpuTable(const TensorView& table)
      : EmbeddingTable(table.shape[0], table.shape[1]),
        bytes_(static_cast<size_t>(table.size() * BytesPerNumber(table.type))) {
    std::copy_n(table.data, bytes_.size(), bytes_.data());
    view_ = TensorView{table.type, table.shape, bytes_.data()};
  }

  int64_t bytes() const override { return bytes_.bytes(); }
  const TensorView& view() const { return view_; }

 private:
  AlignedBuffer<uint8_t> bytes_;
  TensorView view_;
};

}  // namespace

std::unique_ptr<EmbeddingTable> CpuBackend::UploadTable(const TensorView& table) {
  auto copy = std::make_unique<CpuTable>(table);
  CountWeights(copy->bytes());
  CountRead(copy->bytes());
  return copy;
}

void CpuBackend::Embed(const EmbeddingArguments& arguments) {
  constexpr int64_t kChunk = 256;
  const ProfileScope scope(profile(), Part::kEmbedding, 0);
  const auto& table = static_cast<const CpuTable&>(*arguments.table);
  const int64_t width = table.width();
  ForRows(arguments.rows, [&](int64_t row) {
    float* output = arguments.output + row * width;
    const int64_t first = arguments.indices[row] * width;
    if (!arguments.add) {
      ReadFloats(table.view(), first, width, output);
      return;
    }
    float addend[kChunk];
    for (int64_t i = 0; i < width; i += kChunk) {
      const int64_t size = std::min(kChunk, width - i);
      ReadFloats(table.view(), first + i, size, addend);
      kernels_.add(addend, size, output + i);
    }
  });
}

}  // namespace sfumato::cpu
