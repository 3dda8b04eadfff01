#ifndef SFUMATO_OPS_BACKEND_H_
#define SFUMATO_OPS_BACKEND_H_

#include <memory>
#include <string>
#include <vector>

#include "base/load_progress.h"
#include "base/profile.h"
#include "io/safetensors.h"
#include "ops/attention.h"
#include "ops/candidates.h"
#include "ops/device_memory.h"
#include "ops/embedding.h"
#include "ops/experts.h"
#include "ops/gather.h"
#include "ops/heads.h"
#include "ops/matmul.h"
#include "ops/norm.h"
#include "ops/operand.h"
#include "ops/residual.h"
#include "ops/scale.h"
#include "ops/step_layout.h"

namespace sfumato {

/// Numbers in a device's memory.
class Buffer {
 public:
  virtual ~Buffer() = default;

  /// Null when the numbers are rounded.
  float* data() { return operand_.floats; }
  const float* data() const { return operand_.floats; }
  Operand operand() { return operand_; }
  /// Whether the numbers are bfloat16.
  bool rounded() const { return operand_.bfloat16s != nullptr; }
  int64_t bytes() const { return bytes_; }

 protected:
  Operand operand_;
  int64_t bytes_ = 0;
};

/// Indices in a device's memory.
class IndexBuffer {
 public:
  virtual ~IndexBuffer() = default;

  int32_t* data() { return data_; }
  const int32_t* data() const { return data_; }

 protected:
  int32_t* data_ = nullptr;
};

/// What a backend must be ready for.
struct BackendLimits {
  int64_t max_rows = 0;
  int64_t max_candidates = 0;
  int64_t max_top_candidates = 0;
};

/// A device's memory and its operations, each described in the header of its name. A model's graph is written against
/// this interface only. Pointers to floats are to the device's memory, where the caller must not look; those to indices to
/// an IndexBuffer or to a vector of the layout that BeginStep was told.
///
/// Confined to the engine's thread. Operations allocate nothing; what they need is allocated by Reserve... when a model
/// loads.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string InstructionSetName() const = 0;
  virtual std::string ProductsName() const = 0;
  virtual int Threads() const = 0;
  virtual std::string DeviceName() const { return "cpu"; }

  /// A backend that counts what this one would allocate, and neither reads weights nor computes; null where memory is not
  /// planned.
  virtual std::unique_ptr<Backend> MakePlanner() const { return nullptr; }
  /// Takes all the memory that the planner counted. Throws RESOURCE_EXHAUSTED with each part.
  virtual void Reserve(const Backend&) {}
  virtual DeviceMemory Memory() const { return {}; }
  /// Whether this is such a planner.
  virtual bool plans_only() const { return false; }

  /// Zeros.
  virtual std::unique_ptr<Buffer> Allocate(int64_t size) = 0;
  /// Zeros, for numbers that only products and attention read: rounded where these would round them.
  virtual std::unique_ptr<Buffer> AllocateOperand(int64_t size) { return Allocate(size); }
  /// Zeros.
  virtual std::unique_ptr<IndexBuffer> AllocateIndices(int64_t size) = 0;
  virtual std::unique_ptr<Buffer> Upload(const std::vector<float>& values) = 0;
  /// Matrices [outputs, inner] of the same inner size, stacked.
  virtual std::unique_ptr<PackedMatrix> Pack(const std::vector<TensorView>& parts) = 0;
  /// As Pack, of weights whose products are not rounded, whatever the product type: a router's, since rounding would
  /// change which experts are chosen, and those that soft embeddings are mixed out of.
  virtual std::unique_ptr<PackedMatrix> PackExact(const TensorView& matrix) { return Pack({matrix}); }
  /// Gate and other half of a gated feed-forward layer, for a gated epilogue.
  virtual std::unique_ptr<PackedMatrix> PackGated(const TensorView& gate, const TensorView& up) = 0;
  /// As Pack and PackGated, of weights for Group.
  virtual std::unique_ptr<PackedMatrix> PackExpert(const TensorView& matrix) { return Pack({matrix}); }
  virtual std::unique_ptr<PackedMatrix> PackGatedExpert(const TensorView& gate, const TensorView& up) {
    return PackGated(gate, up);
  }
  /// As Pack, of weights for Candidates.
  virtual std::unique_ptr<PackedMatrix> PackHead(const TensorView& matrix) { return Pack({matrix}); }
  /// Matrices of one shape that PackExpert or PackGatedExpert made, for GroupedMatmul; they must outlive the group.
  virtual std::unique_ptr<MatrixGroup> Group(const std::vector<const PackedMatrix*>& matrices) = 0;
  virtual std::unique_ptr<EmbeddingTable> UploadTable(const TensorView& table) = 0;
  virtual void ReserveAttention(int64_t head_dim) = 0;
  virtual void ReserveCandidates(int64_t vocabulary, int64_t hidden) = 0;
  /// After ReserveCandidates, for families that want SoftEmbeddings.
  virtual void ReserveSoftEmbeddings(int64_t hidden) = 0;

  /// Tells the layout that the following operations are about; it must stay as it is until the next one.
  virtual void BeginStep(const StepLayout& layout) = 0;
  /// Waits for all operations.
  virtual void EndStep() {}

  virtual void Embed(const EmbeddingArguments& arguments) = 0;
  virtual void RmsNorm(const NormArguments& arguments) = 0;
  virtual void LayerNorm(const NormArguments& arguments) = 0;
  virtual void Matmul(const MatmulArguments& arguments) = 0;
  virtual void GroupedMatmul(const GroupedMatmulArguments& arguments) = 0;
  virtual void PrepareHeads(const HeadArguments& arguments) = 0;
  virtual void WriteKeyValues(const KeyValueWriteArguments& arguments) = 0;
  virtual void Attention(const AttentionArguments& arguments) = 0;
  virtual void Gather(const GatherArguments& arguments) = 0;
  virtual void AddBranches(const ResidualArguments& arguments) = 0;
  virtual void Scale(const ScaleArguments& arguments) = 0;
  /// Numbers from one place of the device's memory to another.
  virtual void Copy(const float* from, int64_t size, float* to) = 0;
  virtual void Route(const RouteArguments& arguments) = 0;
  virtual void Combine(const CombineArguments& arguments) = 0;
  virtual void Candidates(const CandidateArguments& arguments) = 0;

  /// Bytes of work space that the backend itself holds.
  virtual int64_t WorkBytes() const = 0;

  /// Notes what Pack, PackGated and UploadTable read, until it is null again.
  void WatchLoading(LoadProgress* progress) { loading_ = progress; }

  /// Bytes handed out by Pack, PackGated, Upload and UploadTable.
  int64_t weight_bytes() const { return weight_bytes_; }
  /// Bytes handed out by Allocate and AllocateOperand.
  int64_t allocated_bytes() const { return allocated_bytes_; }
  /// Of those, the bytes of key-value pages.
  int64_t page_bytes() const { return page_bytes_; }
  void CountPages(const Buffer& pages) { page_bytes_ += pages.bytes(); }

  Profile& profile() { return profile_; }

 protected:
  void CountWeights(int64_t bytes) { weight_bytes_ += bytes; }
  /// From any thread of the backend.
  void CountRead(int64_t bytes) {
    if (loading_ != nullptr) loading_->Add(bytes);
  }
  void CountAllocated(int64_t bytes) { allocated_bytes_ += bytes; }

 private:
  Profile profile_;
  LoadProgress* loading_ = nullptr;
  int64_t weight_bytes_ = 0;
  int64_t allocated_bytes_ = 0;
  int64_t page_bytes_ = 0;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_BACKEND_H_
