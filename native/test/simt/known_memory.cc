// Every allocation of the test program by operator new, with its exact size, so that a kernel that reads past the end of a
// vector is caught.
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <string>

#include "simt/harness.h"

namespace sfumato::cuda::harness {
namespace {

/// Allocates past operator new.
template <class T>
struct Plain {
  using value_type = T;
  Plain() = default;
  template <class Other>
  Plain(const Plain<Other>&) {}
  T* allocate(size_t size) { return static_cast<T*>(std::malloc(size * sizeof(T))); }
  void deallocate(T* place, size_t) { std::free(place); }
  bool operator==(const Plain&) const { return true; }
};

using Allocations =
    std::map<uintptr_t, uintptr_t, std::less<uintptr_t>, Plain<std::pair<const uintptr_t, uintptr_t>>>;  // begin, end

Allocations& All() {
  static auto* allocations = new (std::malloc(sizeof(Allocations))) Allocations;  // outlives every destructor
  return *allocations;
}

std::mutex mutex;
/// The one that was found last.
uintptr_t last_begin = 1;
uintptr_t last_end = 0;

}  // namespace

void AddMemory(uintptr_t begin, int64_t bytes) {
  const std::lock_guard lock(mutex);
  All()[begin] = begin + static_cast<uintptr_t>(bytes);
}

void RemoveMemory(uintptr_t begin) {
  const std::lock_guard lock(mutex);
  All().erase(begin);
  last_begin = 1;
  last_end = 0;
}

namespace {

/// Makes the allocation that holds the address the last one that was seen. Faults are thrown without the lock, since they
/// allocate.
bool FindAllocation(uintptr_t origin) {
  const std::lock_guard lock(mutex);
  auto next = All().upper_bound(origin);
  if (next == All().begin() || origin > (--next)->second) return false;
  last_begin = next->first;
  last_end = next->second;
  return true;
}

}  // namespace

void CheckGlobal(const void* base, const void* address, int64_t bytes, int64_t alignment) {
  const auto origin = reinterpret_cast<uintptr_t>(base);
  const auto place = reinterpret_cast<uintptr_t>(address);
  if (origin < last_begin || origin >= last_end) {
    if (!FindAllocation(origin))
      throw Fault(base == nullptr ? "global memory: a null array" : "global memory: an array that nobody allocated");
  }
  if (place < last_begin || place + static_cast<uintptr_t>(bytes) > last_end) {
    throw Fault("global memory: " + std::to_string(bytes) + " bytes at " +
                std::to_string(static_cast<int64_t>(place - last_begin)) + " of an allocation of " +
                std::to_string(last_end - last_begin));
  }
  if (place % static_cast<uintptr_t>(alignment) != 0)
    throw Fault("global memory: " + std::to_string(bytes) + " bytes at an address that is no multiple of them");
}

}  // namespace sfumato::cuda::harness

void* operator new(size_t size) {
  void* place = std::malloc(size == 0 ? 1 : size);
  if (place == nullptr) throw std::bad_alloc();
  sfumato::cuda::harness::AddMemory(reinterpret_cast<uintptr_t>(place), static_cast<int64_t>(size));
  return place;
}

void operator delete(void* place) noexcept {
  if (place != nullptr) sfumato::cuda::harness::RemoveMemory(reinterpret_cast<uintptr_t>(place));
  std::free(place);
}

void operator delete(void* place, size_t) noexcept { operator delete(place); }
