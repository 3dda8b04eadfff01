#ifndef SFUMATO_CUDA_SIMT_HOST_H_
#define SFUMATO_CUDA_SIMT_HOST_H_

// The names of simt.h on a CPU; included by it only. Kernels call what test/simt/harness.cc defines; whoever only fills
// in a kernel's arguments needs none of it.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/number_formats.h"

#define SFUMATO_DEVICE inline
#define SFUMATO_UNROLL
#define SFUMATO_UNROLL_LITTLE

namespace sfumato::cuda {

namespace harness {

/// The running thread's place in its launch.
struct Place {
  int thread = 0;
  int block_x = 0;
  int block_y = 0;
  int block_z = 0;
  int grid_x = 1;
};
extern const Place* here;

enum class Access { kRead, kWrite };

/// Throws inside the kernel unless the bytes belong to the allocation that base points into, suitably aligned.
void CheckGlobal(const void* base, const void* address, int64_t bytes, int64_t alignment);
void CheckShared(Access access, const void* address, int64_t bytes, int64_t alignment);
void CheckIndex(int64_t index, int64_t size);
void StartCopy(void* to, const void* from, int64_t bytes);
void CommitCopies();
void WaitForCopies(int groups);

/// Where a collective operation stands in the source.
struct Site {
  const char* file;
  int line;
};
void SyncBlock(Site site);
void SyncWarp(Site site);
/// By all lanes of a warp.
uint32_t ShuffleXor(uint32_t value, int lane_mask, Site site);
uint32_t ShuffleFrom(uint32_t value, int lane, Site site);
uint32_t Ballot(bool predicate, Site site);
void MultiplyBfloat16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site);
void MultiplyFloat8(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site);
uint32_t TransposeFragment(uint32_t fragment, Site site);
void TransposeRows(const Word4& row, uint32_t (&words)[4], Site site);

}  // namespace harness

#define SFUMATO_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

template <class T>
class Global {
 public:
  Global() = default;
  Global(T* data) : data_(data) {}

  T& operator[](int64_t i) const {
    harness::CheckGlobal(data_, data_ + i, sizeof(T), alignof(T));
    return data_[i];
  }
  /// As the first of some elements that are read at once.
  const T* Several(int64_t i, int64_t count) const {
    const auto bytes = static_cast<int64_t>(sizeof(T)) * count;
    harness::CheckGlobal(data_, data_ + i, bytes, bytes);
    return data_ + i;
  }
  bool IsNull() const { return data_ == nullptr; }

 private:
  T* data_ = nullptr;
};

/// A word of shared memory: every read and write is checked.
template <class T>
class SharedReference {
 public:
  explicit SharedReference(T* place) : place_(place) {}
  SharedReference(const SharedReference&) = default;

  operator T() const {
    harness::CheckShared(harness::Access::kRead, place_, sizeof(T), alignof(T));
    return *place_;
  }
  const SharedReference& operator=(T value) const {
    harness::CheckShared(harness::Access::kWrite, place_, sizeof(T), alignof(T));
    *place_ = value;
    return *this;
  }
  const SharedReference& operator=(const SharedReference& other) const { return *this = static_cast<T>(other); }
  const SharedReference& operator+=(T value) const { return *this = static_cast<T>(*this) + value; }

 private:
  T* place_;
};

template <class T, int kSize>
class SharedArray {
 public:
  static_assert(sizeof(T) % 4 == 0, "smaller elements share a word");

  SharedReference<T> operator[](int64_t i) {
    harness::CheckIndex(i, kSize);
    return SharedReference<T>(values_ + i);
  }
  T* Several(int64_t i, int64_t count) {
    harness::CheckIndex(i, kSize);
    harness::CheckIndex(i + count - 1, kSize);
    return values_ + i;
  }

 private:
  alignas(16) T values_[kSize];
};

template <class To, class From>
To BitCast(const From& value) {
  return std::bit_cast<To>(value);
}

inline int ThreadIndex() { return harness::here->thread; }
inline int BlockX() { return harness::here->block_x; }
inline int BlockY() { return harness::here->block_y; }
inline int BlockZ() { return harness::here->block_z; }
inline int GridX() { return harness::here->grid_x; }

inline void SyncBlock(SFUMATO_SITE) { harness::SyncBlock({file, line}); }
inline void SyncWarp(SFUMATO_SITE) { harness::SyncWarp({file, line}); }

template <class T>
T ShuffleXor(T value, int lane_mask, SFUMATO_SITE) {
  static_assert(sizeof(T) == 4);
  return BitCast<T>(harness::ShuffleXor(BitCast<uint32_t>(value), lane_mask, {file, line}));
}
template <class T>
T ShuffleFrom(T value, int lane, SFUMATO_SITE) {
  static_assert(sizeof(T) == 4);
  return BitCast<T>(harness::ShuffleFrom(BitCast<uint32_t>(value), lane, {file, line}));
}
inline uint32_t Ballot(bool predicate, SFUMATO_SITE) { return harness::Ballot(predicate, {file, line}); }
inline int CountBits(uint32_t bits) { return std::popcount(bits); }

inline Float4 Load4(const Global<const float>& array, int64_t i) {
  Float4 value;
  std::memcpy(&value, array.Several(i, 4), sizeof(value));
  return value;
}
template <int kSize>
Float4 Load4(SharedArray<float, kSize>& array, int64_t i) {
  const float* place = array.Several(i, 4);
  harness::CheckShared(harness::Access::kRead, place, 16, 16);
  Float4 value;
  std::memcpy(&value, place, sizeof(value));
  return value;
}
inline Word2 Load4(const Global<const uint16_t>& array, int64_t i) {
  Word2 value;
  std::memcpy(&value, array.Several(i, 4), sizeof(value));
  return value;
}
template <int kSize>
Word2 LoadWords2(SharedArray<uint32_t, kSize>& array, int64_t i) {
  const uint32_t* place = array.Several(i, 2);
  harness::CheckShared(harness::Access::kRead, place, 8, 8);
  return {place[0], place[1]};
}
template <int kSize>
Word4 LoadWords4(SharedArray<uint32_t, kSize>& array, int64_t i) {
  const uint32_t* place = array.Several(i, 4);
  harness::CheckShared(harness::Access::kRead, place, 16, 16);
  return {place[0], place[1], place[2], place[3]};
}
inline Word2 LoadWords2(const Global<const uint32_t>& array, int64_t i) {
  const uint32_t* place = array.Several(i, 2);
  return {place[0], place[1]};
}
inline Word4 LoadWords4(const Global<const uint32_t>& array, int64_t i) {
  const uint32_t* place = array.Several(i, 4);
  return {place[0], place[1], place[2], place[3]};
}

template <class To, int kSize, class From>
void CopyAsync16(SharedArray<To, kSize>& to, int64_t i, const Global<const From>& from, int64_t j) {
  harness::StartCopy(to.Several(i, 16 / sizeof(To)), from.Several(j, 16 / sizeof(From)), 16);
}
inline void CommitCopies() { harness::CommitCopies(); }
template <int kGroups>
void WaitForCopies() {
  harness::WaitForCopies(kGroups);
}

inline void MultiplyBfloat16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SFUMATO_SITE) {
  harness::MultiplyBfloat16(sums, a, b, {file, line});
}
inline void MultiplyFloat8(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SFUMATO_SITE) {
  harness::MultiplyFloat8(sums, a, b, {file, line});
}
inline uint32_t TransposeFragment(uint32_t fragment, SFUMATO_SITE) {
  return harness::TransposeFragment(fragment, {file, line});
}

template <int kSize>
void LoadTransposed(SharedArray<uint32_t, kSize>& array, int64_t i, uint32_t (&words)[4], SFUMATO_SITE) {
  const uint32_t* place = array.Several(i, 4);
  harness::CheckShared(harness::Access::kRead, place, 16, 16);
  harness::TransposeRows({place[0], place[1], place[2], place[3]}, words, {file, line});
}

inline uint32_t MultiplyAddBfloat16(uint32_t a, uint32_t b, uint32_t c) {
  // Products of bfloat16 numbers are exact in double; so are sums of the two, unless they are far from each other.
  const auto half = [&](int shift) {
    const auto number = [shift](uint32_t word) {
      return static_cast<double>(FromBfloat16(static_cast<uint16_t>(word >> shift)));
    };
    return static_cast<uint32_t>(ToBfloat16(static_cast<float>(std::fma(number(a), number(b), number(c))))) << shift;
  };
  return half(0) | half(16);
}

inline uint32_t PackBfloat16(float low, float high) {
  return ToBfloat16(low) | static_cast<uint32_t>(ToBfloat16(high)) << 16;
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_SIMT_HOST_H_
