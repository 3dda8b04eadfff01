#ifndef SFUMATO_BASE_PROFILE_H_
#define SFUMATO_BASE_PROFILE_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace sfumato {

/// The parts of a step that time is counted for.
enum class Part {
  kEmbedding,
  kNorm,
  kAttentionProjections,
  kRope,
  kAttention,
  kFeedForward,
  kRouter,
  kKeyValueWrite,
  kGather,
  kHead,
  kVocabulary,
  kSampling
};

constexpr int kPartCount = 12;

const char* PartName(Part part);

/// Calls, time and floating point operations of each part of the step. Confined to the engine's thread.
class Profile {
 public:
  struct Entry {
    int64_t calls = 0;
    int64_t nanoseconds = 0;
    int64_t operations = 0;
  };

  const Entry& entry(Part part) const { return entries_[static_cast<size_t>(part)]; }
  void Add(Part part, int64_t nanoseconds, int64_t operations) {
    Entry& entry = entries_[static_cast<size_t>(part)];
    entry.calls += 1;
    entry.nanoseconds += nanoseconds;
    entry.operations += operations;
  }
  /// What a device's kernels take, by their names, where that is measured.
  const std::map<std::string, Entry>& kernels() const { return kernels_; }
  void AddKernel(const std::string& name, int64_t nanoseconds) {
    Entry& entry = kernels_[name];
    entry.calls += 1;
    entry.nanoseconds += nanoseconds;
  }
  void Reset() {
    entries_ = {};
    kernels_.clear();
  }

 private:
  std::array<Entry, kPartCount> entries_;
  std::map<std::string, Entry> kernels_;
};

/// Counts the time from its construction to the end of its scope.
class ProfileScope {
 public:
  ProfileScope(Profile& profile, Part part, int64_t operations)
      : profile_(profile), part_(part), operations_(operations), start_(std::chrono::steady_clock::now()) {}
  ~ProfileScope() {
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    profile_.Add(part_, std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count(), operations_);
  }

  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  Profile& profile_;
  Part part_;
  int64_t operations_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace sfumato

#endif  // SFUMATO_BASE_PROFILE_H_
