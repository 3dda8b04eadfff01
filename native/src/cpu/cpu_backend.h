#ifndef SFUMATO_CPU_CPU_BACKEND_H_
#define SFUMATO_CPU_CPU_BACKEND_H_

#include <memory>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/cpu_features.h"
#include "base/thread_pool.h"
#include "cpu/kernels.h"
#include "cpu/products.h"
#include "ops/backend.h"

namespace sfumato::cpu {

class CandidateStage;

/// The operations on a CPU: own kernels, chosen at run time by instruction set, over own threads.
class CpuBackend : public Backend {
 public:
  /// Throws FAILED_PRECONDITION when the CPU lacks the instruction set, or AVX512_BF16 where BF16 products are asked for.
  CpuBackend(InstructionSet instruction_set, ProductFormat products, int threads, const BackendLimits& limits);
  /// With kernels that this CPU can run.
  CpuBackend(const Kernels& kernels, RoundingKernels rounding, int threads, const BackendLimits& limits);
  ~CpuBackend() override;

  std::string InstructionSetName() const override { return kernels_.name; }
  std::string ProductsName() const override { return products_.name(); }
  int Threads() const override { return pool_.threads(); }

  std::unique_ptr<Buffer> Allocate(int64_t size) override;
  std::unique_ptr<IndexBuffer> AllocateIndices(int64_t size) override;
  std::unique_ptr<Buffer> Upload(const std::vector<float>& values) override;
  std::unique_ptr<PackedMatrix> Pack(const std::vector<TensorView>& parts) override;
  std::unique_ptr<PackedMatrix> PackExact(const TensorView& matrix) override;
  std::unique_ptr<PackedMatrix> PackGated(const TensorView& gate, const TensorView& up) override;
  std::unique_ptr<MatrixGroup> Group(const std::vector<const PackedMatrix*>& matrices) override;
  std::unique_ptr<EmbeddingTable> UploadTable(const TensorView& table) override;
  void ReserveAttention(int64_t head_dim) override;
  void ReserveCandidates(int64_t vocabulary, int64_t hidden) override;
  void ReserveSoftEmbeddings(int64_t hidden) override;

  void BeginStep(const StepLayout&) override {}
  void Embed(const EmbeddingArguments& arguments) override;
  void RmsNorm(const NormArguments& arguments) override;
  void LayerNorm(const NormArguments& arguments) override;
  void Matmul(const MatmulArguments& arguments) override;
  void GroupedMatmul(const GroupedMatmulArguments& arguments) override;
  void PrepareHeads(const HeadArguments& arguments) override;
  void WriteKeyValues(const KeyValueWriteArguments& arguments) override;
  void Attention(const AttentionArguments& arguments) override;
  void Gather(const GatherArguments& arguments) override;
  void AddBranches(const ResidualArguments& arguments) override;
  void Scale(const ScaleArguments& arguments) override;
  void Copy(const float* from, int64_t size, float* to) override;
  void Route(const RouteArguments& arguments) override;
  void Combine(const CombineArguments& arguments) override;
  void Candidates(const CandidateArguments& arguments) override;

  int64_t WorkBytes() const override;

 private:
  std::unique_ptr<PackedMatrix> PackStacked(const std::vector<TensorView>& parts, bool exact);

  /// Writes the matrix by source(panel, column), which answers the row of a tensor, or a null tensor for padding.
  template <class Source>
  void WritePanels(CpuMatrix& matrix, const Source& source);

  /// Matmul of the input's rows that are told, or of all where they are not.
  void MultiplyRows(const MatmulArguments& arguments, const int32_t* input_rows);

  /// Calls body(row) for each row, in one run of rows for each thread.
  template <class Body>
  void ForRows(int64_t rows, const Body& body);

  const Kernels& kernels_;
  const BackendLimits limits_;
  ThreadPool pool_;
  Products products_;
  AlignedBuffer<float> product_scratch_;    // [threads, kRowTile, columns of a tile]
  AlignedBuffer<float> gathered_;           // [threads, kRowTile, most inner numbers of a group's weights]
  AlignedBuffer<float> attention_scratch_;  // [threads, AttentionScratch]
  int64_t attention_scratch_stride_ = 0;
  std::unique_ptr<CandidateStage> candidates_;
};

template <class Body>
void CpuBackend::ForRows(int64_t rows, const Body& body) {
  const int64_t chunks = rows < pool_.threads() ? rows : pool_.threads();
  pool_.Run(chunks, [&](int64_t chunk, int) noexcept {
    for (int64_t row = rows * chunk / chunks; row < rows * (chunk + 1) / chunks; ++row) body(row);
  });
}

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_CPU_BACKEND_H_
