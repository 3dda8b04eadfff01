#include "cuda/graph_device.h"

#include <cstring>

namespace sfumato::cuda {
namespace {

uint64_t Word(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

uint64_t HashOf(const std::vector<uint64_t>& words) {
  uint64_t hash = words.size();
  for (const uint64_t word : words) hash = (hash ^ word) * 0x9E3779B97F4A7C15ull + (hash >> 29);
  return hash;
}

}  // namespace

void GraphDevice::Free(void* memory) noexcept {
  // What is kept back may still use it. A failure shows at the next call.
  try {
    Flush();
  } catch (...) {
    commands_.clear();
    words_.clear();
    arguments_.clear();
  }
  device_->Free(memory);
}

void GraphDevice::Keep(const Command& command) {
  const KernelCall& kernel = command.kernel;
  for (const uint64_t word : {Word(kernel.function), Word(reinterpret_cast<const void*>(kernel.start)),
                              static_cast<uint64_t>(kernel.argument_bytes), static_cast<uint64_t>(kernel.threads),
                              static_cast<uint64_t>(kernel.shared_bytes), static_cast<uint64_t>(kernel.grid.x),
                              static_cast<uint64_t>(kernel.grid.y), static_cast<uint64_t>(kernel.grid.z),
                              Word(command.to), Word(command.from), static_cast<uint64_t>(command.bytes)}) {
    words_.push_back(word);
  }
  words_.resize((words_.size() + 1) / 2 * 2);  // arguments are aligned to 16 bytes
  arguments_.push_back(words_.size());
  words_.resize(words_.size() + static_cast<size_t>(kernel.argument_bytes + 15) / 16 * 2);
  if (kernel.argument_bytes > 0) {
    std::memcpy(words_.data() + arguments_.back(), kernel.arguments, static_cast<size_t>(kernel.argument_bytes));
  }
  commands_.push_back(command);
  if (commands_.size() == kSegment) Flush();
}

void GraphDevice::Flush() {
  if (commands_.empty()) return;
  // The words have their place now.
  for (size_t i = 0; i < commands_.size(); ++i) commands_[i].kernel.arguments = words_.data() + arguments_[i];
  Submit();
  commands_.clear();
  words_.clear();
  arguments_.clear();
}

void GraphDevice::Submit() {
  if (commands_.size() >= kShortest) {
    Segment& segment = Remember();
    if (segment.words.empty()) {
      segment.words = words_;
    } else {
      if (segment.graph == nullptr) {
        segment.graph = device_->MakeGraph(commands_);
        ++made_;
      }
      ++replayed_;
      return segment.graph->Run();
    }
  }
  for (const Command& command : commands_) device_->Do(command);
}

GraphDevice::Segment& GraphDevice::Remember() {
  const uint64_t hash = HashOf(words_);
  const auto [begin, end] = places_.equal_range(hash);
  for (auto place = begin; place != end; ++place) {
    if (place->second->words != words_) continue;
    segments_.splice(segments_.begin(), segments_, place->second);
    return segments_.front();
  }
  if (segments_.size() == most_) {
    const auto [first, last] = places_.equal_range(segments_.back().hash);
    for (auto place = first; place != last; ++place) {
      if (place->second != std::prev(segments_.end())) continue;
      places_.erase(place);
      break;
    }
    segments_.pop_back();
  }
  segments_.push_front({hash, {}, nullptr});
  places_.emplace(hash, segments_.begin());
  return segments_.front();
}

}  // namespace sfumato::cuda
