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

const Bfloat16Kernels& Bfloat16KernelsOf(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx512 && SupportsBfloat16Products()) return kAvx512Bfloat16Kernels;
#endif
  Fail(SFUMATO_FAILED_PRECONDITION, "product_type", "BF16",
       std::string("F32, since ") + (set == InstructionSet::kAvx512 ? "this CPU" : InstructionSetName(set)) +
           " has no AVX512_BF16");
}

const Int8Kernels& Int8KernelsOf(InstructionSet set) {
#if defined(__x86_64__)
  const bool quads = SupportsInt8Products(set);
  if (set == InstructionSet::kAvx512) return quads ? kAvx512VnniInt8Kernels : kAvx512Int8Kernels;
  if (set == InstructionSet::kAvx2) return quads ? kAvx2VnniInt8Kernels : kAvx2Int8Kernels;
#endif
  return kPortableInt8Kernels;
}

RoundingKernels RoundingKernelsOf(InstructionSet set, ProductFormat products) {
  const char* missing = products == ProductFormat::kFp8         ? "FP8"
                        : products == ProductFormat::kInt4      ? "INT4"
                        : products == ProductFormat::kFp8Inputs ? "FP8_INPUTS"
                                                                : nullptr;
  if (missing != nullptr)
    Fail(SFUMATO_FAILED_PRECONDITION, "product_type", missing, "F32, BF16 or INT8, since CPUs have no kernels for it");
  if (products == ProductFormat::kBfloat16) return {&Bfloat16KernelsOf(set), nullptr};
  if (products == ProductFormat::kInt8) return {nullptr, &Int8KernelsOf(set)};
  return {};
}

class CpuBuffer : public Buffer {
 public:
  explicit CpuBuffer(int64_t size) : numbers_(static_cast<size_t>(size)) {
    operand_ = numbers_.data();
    bytes_ = numbers_.bytes();
  }

 private:
  AlignedBuffer<float> numbers_;
};

class CpuIndexBuffer : public IndexBuffer {
 public:
  explicit CpuIndexBuffer(int64_t size) : indices_(static_cast<size_t>(size)) { data_ = indices_.data(); }

 private:
  AlignedBuffer<int32_t> indices_;
};

}  // namespace

CpuBackend::CpuBackend(InstructionSet instruction_set, ProductFormat products, int threads, const BackendLimits& limits)
    : CpuBackend(KernelsOf(instruction_set), RoundingKernelsOf(instruction_set, products), threads, limits) {}

CpuBackend::CpuBackend(const Kernels& kernels, RoundingKernels rounding, int threads, const BackendLimits& limits)
    : kernels_(kernels),
      limits_(limits),
      pool_(threads),
      products_(kernels, rounding, threads),
      product_scratch_(static_cast<size_t>(threads * kRowTile * kMaxTileColumns)) {}

CpuBackend::~CpuBackend() = default;

std::unique_ptr<Buffer> CpuBackend::Allocate(int64_t size) {
  auto buffer = std::make_unique<CpuBuffer>(size);
  CountAllocated(buffer->bytes());
  return buffer;
}

std::unique_ptr<IndexBuffer> CpuBackend::AllocateIndices(int64_t size) {
  CountAllocated(size * static_cast<int64_t>(sizeof(int32_t)));
  return std::make_unique<CpuIndexBuffer>(size);
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
  candidates_ = std::make_unique<CandidateStage>(kernels_, products_, pool_, limits_, vocabulary, hidden);
}

void CpuBackend::ReserveSoftEmbeddings(int64_t) { candidates_->ReserveSoftEmbeddings(); }

int64_t CpuBackend::WorkBytes() const {
  return products_.bytes() + product_scratch_.bytes() + gathered_.bytes() + attention_scratch_.bytes() +
         (candidates_ == nullptr ? 0 : candidates_->bytes());
}

void CpuBackend::Candidates(const CandidateArguments& arguments) { candidates_->Run(arguments, profile()); }

}  // namespace sfumato::cpu
