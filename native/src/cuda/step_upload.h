#ifndef SFUMATO_CUDA_STEP_UPLOAD_H_
#define SFUMATO_CUDA_STEP_UPLOAD_H_

#include <cstdint>

#include "cuda/device.h"
#include "ops/step_layout.h"

namespace sfumato::cuda {

/// A step's layout on the device, copied there at once.
class StepUpload {
 public:
  explicit StepUpload(Device& device) : device_(device) {}
  ~StepUpload();

  StepUpload(const StepUpload&) = delete;
  StepUpload& operator=(const StepUpload&) = delete;

  /// Allocates what the layout's vectors can hold where it is not there yet: once for layouts that are reserved alike.
  void Copy(const StepLayout& layout);

  int64_t bytes() const { return capacity_; }
  const int32_t* tokens() const { return tokens_; }
  const int32_t* positions() const { return positions_; }
  const int32_t* pages() const { return pages_; }
  const int32_t* selected() const { return selected_; }
  const Sequence* sequences() const { return sequences_; }
  const CandidateRules* rules() const { return rules_; }
  const CandidateRow* candidates() const { return candidates_; }

 private:
  void Reserve(int64_t bytes);

  Device& device_;
  int64_t capacity_ = 0;
  DeviceArray<uint8_t> memory_;
  uint8_t* staging_ = nullptr;
  const int32_t* tokens_ = nullptr;
  const int32_t* positions_ = nullptr;
  const int32_t* pages_ = nullptr;
  const int32_t* selected_ = nullptr;
  const Sequence* sequences_ = nullptr;
  const CandidateRules* rules_ = nullptr;
  const CandidateRow* candidates_ = nullptr;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_STEP_UPLOAD_H_
