#ifndef SFUMATO_BASE_LOAD_PROGRESS_H_
#define SFUMATO_BASE_LOAD_PROGRESS_H_

#include <atomic>
#include <cstdint>
#include <string>

namespace sfumato {

/// How far a model has been read, for other threads to look at while it loads. Found by its directory as long as it lives.
class LoadProgress {
 public:
  struct Bytes {
    int64_t read = 0;
    int64_t total = 0;
  };

  LoadProgress(std::string directory, int64_t total);
  virtual ~LoadProgress();

  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;

  /// From any thread. What is read twice, as an embedding that is the head as well, counts up to the total only.
  void Add(int64_t bytes) { read_.fetch_add(bytes, std::memory_order_relaxed); }

  /// Of the model that has been loading longest from that directory. Returns whether there is one.
  static bool Find(const std::string& directory, Bytes& bytes);

 protected:
  /// From any thread. Returns whether there is anything to tell.
  virtual bool Read(Bytes& bytes) const;

 private:
  const std::string directory_;
  const int64_t total_;
  std::atomic<int64_t> read_{0};
};

}  // namespace sfumato

#endif  // SFUMATO_BASE_LOAD_PROGRESS_H_
