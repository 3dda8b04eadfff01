#include "base/load_progress.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace sfumato {
namespace {

std::mutex running_mutex;
std::vector<const LoadProgress*>& Running() {
  static std::vector<const LoadProgress*> running;
  return running;
}

}  // namespace

LoadProgress::LoadProgress(std::string directory, int64_t total) : directory_(std::move(directory)), total_(total) {
  const std::lock_guard lock(running_mutex);
  Running().push_back(this);
}

LoadProgress::~LoadProgress() {
  const std::lock_guard lock(running_mutex);
  std::erase(Running(), this);
}

bool LoadProgress::Find(const std::string& directory, Bytes& bytes) {
  const std::lock_guard lock(running_mutex);
  for (const LoadProgress* progress : Running()) {
    if (progress->directory_ == directory && progress->Read(bytes)) return true;
  }
  return false;
}

bool LoadProgress::Read(Bytes& bytes) const {
  bytes = {std::min(read_.load(std::memory_order_relaxed), total_), total_};
  return true;
}

}  // namespace sfumato
