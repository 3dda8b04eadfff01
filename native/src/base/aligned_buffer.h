#ifndef SFUMATO_BASE_ALIGNED_BUFFER_H_
#define SFUMATO_BASE_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include "base/error.h"

namespace sfumato {

/// A fixed array of zeros, aligned to cache lines; its size never changes. Throws RESOURCE_EXHAUSTED when there is not
/// enough memory.
template <class T>
class AlignedBuffer {
 public:
  static constexpr size_t kAlignment = 64;

  AlignedBuffer() = default;

  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    if (size > (std::numeric_limits<size_t>::max() - kAlignment) / sizeof(T)) throw std::bad_alloc();
    const size_t bytes = (size * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    data_.reset(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)));
    if (data_ == nullptr) {
      Fail(SFUMATO_RESOURCE_EXHAUSTED, "memory", std::to_string(bytes) + " bytes", "as much free memory");
    }
    std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  int64_t bytes() const { return static_cast<int64_t>(size_ * sizeof(T)); }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };

  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

}  // namespace sfumato

#endif  // SFUMATO_BASE_ALIGNED_BUFFER_H_
