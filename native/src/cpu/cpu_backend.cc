#include "cpu/cpu_backend.h"

#include <algorithm>

#include "base/error.h"
#include "cpu/candidate_stage.h"
#include "cpu/product_plan.h"

namespace sfumato::cpu {
namespace {

const Kernels& KernelsOf(InstructionSet set) {
  if (!Supports(set)) {
    Fail(SFUMATO_FAILED_PRECONDITION, "instruction_set", InstructionSetName(set),
         std::string("one that this CPU has, at most ") + InstructionSetName(BestInstructionSet()));
  }
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx512) return kAvx512Kernels;
  if (set == InstructionSet::kAvx2) return kAvx2Kernels;
#endif
  return kPortableKernels;
}

class CpuBuffer : public Buffer {
 public:
  explicit CpuBuffer(int64_t size) : numbers_(static_cast<size_t>(size)) {
    data_ = numbers_.data();
    bytes_ = numbers_.bytes();
  }

 private:
  AlignedBuffer<float> numbers_;
};

}  // namespace

CpuMatrix::CpuMatrix(int64_t outputs, int64_t inner, bool gated, int64_t panel_width)
    : PackedMatrix(outputs, inner, gated),
      panel_width_(panel_width),
      panels_(static_cast<size_t>(panel_count() * inner * panel_width)) {}

CpuBackend::CpuBackend(InstructionSet instruction_set, int threads, const BackendLimits& limits)
    : kernels_(KernelsOf(instruction_set)),
      limits_(limits),
      pool_(threads),
      product_scratch_(static_cast<size_t>(threads * kRowTile * kMaxTileColumns)) {}

CpuBackend::~CpuBackend() = default;

std::unique_ptr<Buffer> CpuBackend::Allocate(int64_t size) {
  auto buffer = std::make_unique<CpuBuffer>(size);
  CountAllocated(buffer->bytes());
  return buffer;
}

std::unique_ptr<Buffer> CpuBackend::Upload(const std::vector<float>& values) {
  auto buffer = std::make_unique<CpuBuffer>(static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), buffer->data());
  CountWeights(buffer->bytes());
  return buffer;
}

void CpuBackend::ReserveAttention(int64_t head_dim) {
  const int64_t stride = AttentionScratch(head_dim, kernels_.panel_width);
  if (stride <= attention_scratch_stride_) return;
  attention_scratch_stride_ = stride;
  attention_scratch_ = AlignedBuffer<float>(static_cast<size_t>(stride * pool_.threads()));
}

void CpuBackend::ReserveCandidates(int64_t vocabulary, int64_t hidden) {
  candidates_ = std::make_unique<CandidateStage>(kernels_, pool_, limits_, vocabulary, hidden);
}

int64_t CpuBackend::WorkBytes() const {
  return product_scratch_.bytes() + attention_scratch_.bytes() + (candidates_ == nullptr ? 0 : candidates_->bytes());
}

void CpuBackend::Candidates(const CandidateArguments& arguments) { candidates_->Run(arguments, profile()); }

}  // namespace sfumato::cpu
