#include "cuda/step_upload.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sfumato::cuda {
namespace {

constexpr int64_t kAlignment = 256;

/// Powers of two, so that most steps find their vectors where those of the step before lay: what is launched is then the
/// same, byte for byte (GraphDevice).
int64_t RoomFor(int64_t bytes) {
  if (bytes == 0) return 0;
  return std::max(kAlignment, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(bytes))));
}

/// Calls body(vector) for each of the layout's vectors.
template <class Body>
void ForVectors(const StepLayout& layout, const Body& body) {
  body(layout.tokens);
  body(layout.positions);
  body(layout.pages);
  body(layout.sequences);
  body(layout.selected);
  body(layout.rules);
  body(layout.candidates);
}

}  // namespace

StepUpload::~StepUpload() {
  if (staging_ != nullptr) device_.FreeHost(staging_);
}

void StepUpload::Reserve(int64_t bytes) {
  if (bytes <= capacity_) return;
  memory_ = DeviceArray<uint8_t>(device_, bytes);
  if (staging_ != nullptr) device_.FreeHost(staging_);
  staging_ = nullptr;
  staging_ = static_cast<uint8_t*>(device_.AllocateHost(bytes));
  capacity_ = bytes;
}

void StepUpload::Copy(const StepLayout& layout) {
  int64_t capacity = kAlignment;
  ForVectors(layout, [&](const auto& vector) {
    capacity += RoomFor(static_cast<int64_t>(vector.capacity() * sizeof(vector[0])));
  });
  Reserve(capacity);
  int64_t used = 0;
  const auto place = [&](const auto& vector, auto& pointer) {
    const auto bytes = static_cast<int64_t>(vector.size() * sizeof(vector[0]));
    if (bytes > 0) std::memcpy(staging_ + used, vector.data(), static_cast<size_t>(bytes));
    pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(memory_.data() + used);
    used += RoomFor(bytes);
  };
  place(layout.tokens, tokens_);
  place(layout.positions, positions_);
  place(layout.pages, pages_);
  place(layout.sequences, sequences_);
  place(layout.selected, selected_);
  place(layout.rules, rules_);
  place(layout.candidates, candidates_);
  if (used > 0) device_.Upload(memory_.data(), staging_, used);
}

}  // namespace sfumato::cuda
