#ifndef SFUMATO_CUDA_CUDA_BACKEND_H_
#define SFUMATO_CUDA_CUDA_BACKEND_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "cuda/candidate_stage.h"
#include "cuda/cuda_matrix.h"
#include "cuda/dense_stage.h"
#include "cuda/device.h"
#include "cuda/product_kernel.h"
#include "cuda/quantised_rows.h"
#include "cuda/step_upload.h"
#include "ops/backend.h"

namespace sfumato::cuda {

/// Throws FAILED_PRECONDITION for products that no kernel is for.
Precision PrecisionOf(ProductFormat products);

/// What dense products of the precision may go through cuBLASLt in, if any.
std::optional<DenseType> DenseTypeOf(Precision precision);

/// The operations on a device by the kernels of this directory. What only products and attention read is kept as these
/// take it: as bfloat16 numbers where the precision rounds to them. All else is floats. Operations return when they are queued; Candidates waits for all.
class CudaBackend : public Backend {
 public:
  /// threads: of the host, for packing weights. dense: of the device, for products that it chooses; may be null.
  CudaBackend(std::unique_ptr<Device> device, Precision precision, int threads, const BackendLimits& limits,
              std::shared_ptr<DenseProducts> dense = nullptr);
  ~CudaBackend() override;

  std::string InstructionSetName() const override { return device_->Name(); }
  std::string ProductsName() const override;
  int Threads() const override { return pool_.threads(); }
  std::string DeviceName() const override { return device_->Model(); }

  std::unique_ptr<Backend> MakePlanner() const override;
  /// Throws RESOURCE_EXHAUSTED with each part where the device has less memory free.
  void Reserve(const Backend& planner) override;
  DeviceMemory Memory() const override { return device_->Memory(); }
  bool plans_only() const override { return device_->plans_only(); }

  std::unique_ptr<Buffer> Allocate(int64_t size) override;
  std::unique_ptr<Buffer> AllocateOperand(int64_t size) override;
  std::unique_ptr<IndexBuffer> AllocateIndices(int64_t size) override;
  std::unique_ptr<Buffer> Upload(const std::vector<float>& values) override;
  std::unique_ptr<PackedMatrix> Pack(const std::vector<TensorView>& parts) override;
  std::unique_ptr<PackedMatrix> PackExact(const TensorView& matrix) override;
  std::unique_ptr<PackedMatrix> PackGated(const TensorView& gate, const TensorView& up) override;
  std::unique_ptr<PackedMatrix> PackExpert(const TensorView& matrix) override;
  std::unique_ptr<PackedMatrix> PackGatedExpert(const TensorView& gate, const TensorView& up) override;
  /// In FP8 where other weights are in 4 bits, which would make most of the logits' error.
  std::unique_ptr<PackedMatrix> PackHead(const TensorView& matrix) override;
  std::unique_ptr<MatrixGroup> Group(const std::vector<const PackedMatrix*>& matrices) override;
  std::unique_ptr<EmbeddingTable> UploadTable(const TensorView& table) override;
  /// Throws UNIMPLEMENTED for heads that no kernel is compiled for.
  void ReserveAttention(int64_t head_dim) override;
  void ReserveCandidates(int64_t vocabulary, int64_t hidden) override;
  void ReserveSoftEmbeddings(int64_t hidden) override;

  void BeginStep(const StepLayout& layout) override;
  void EndStep() override;
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
  /// The device's copy of one of the layout's vectors; other indices are on the device already.
  const int32_t* OnDevice(const int32_t* indices) const;
  /// For own kernels.
  std::unique_ptr<PackedMatrix> PackFragments(Precision precision, const std::vector<TensorView>& parts, bool gated);
  /// For cuBLASLt where it is chosen, else for own kernels.
  std::unique_ptr<PackedMatrix> PackDense(const std::vector<TensorView>& parts, bool gated);
  /// What matrices are packed in that keep BF16 inputs.
  Precision PrecisionOfRoundedInputs() const {
    return precision_ == Precision::kFp8Inputs ? Precision::kFp8 : precision_;
  }
  /// A product of inputs in E4M3.
  void MultiplyQuantised(const CudaMatrix& matrix, const MatmulArguments& arguments);
  void CountPacked(const PackedMatrix& matrix, const std::vector<TensorView>& parts);
  template <class Matrix>
  void LaunchProduct(const Matrix& matrix, const Product& product, int64_t groups);
  template <int kHeadDim, int kTerms>
  void ChooseAttention(const AttentionArguments& arguments);
  template <class Kernel>
  void LaunchAttention(const AttentionArguments& arguments);

  std::unique_ptr<Device> device_;
  const Precision precision_;
  const BackendLimits limits_;
  ThreadPool pool_;
  HostStaging staging_;
  StepUpload step_;
  const StepLayout* layout_ = nullptr;
  std::unique_ptr<Moment> step_began_;
  std::unique_ptr<CandidateStage> candidates_;
  QuantisedRows quantised_;
  std::unique_ptr<DenseStage> dense_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CUDA_BACKEND_H_
