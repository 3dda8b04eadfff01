// Every allocation of the test program by operator new lies in memory that the host and the GPU both reach at the same
// address, so that the bodies of test/ops, which hand plain vectors to operations, run on a GPU as they are.
#include <cuda_runtime_api.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

namespace {

constexpr size_t kArenaBytes = size_t{1} << 30;
constexpr size_t kSmallest = 256;
constexpr size_t kSizes = 64;

/// Pieces of powers of two, each with its size in front; what is given back is handed out again.
class Arena {
 public:
  void* Take(size_t size) {
    const std::lock_guard lock(mutex_);
    if (begin_ == nullptr) Open();
    const size_t power = static_cast<size_t>(std::bit_width(size + kSmallest - 1));
    Piece*& spare = spares_.at(power);
    if (spare != nullptr) {
      Piece* taken = spare;
      spare = taken->next;
      return reinterpret_cast<uint8_t*>(taken) + kSmallest;
    }
    const size_t whole = size_t{1} << power;
    if (whole > kArenaBytes - used_) return nullptr;
    auto* piece = reinterpret_cast<Piece*>(begin_ + used_);
    used_ += whole;
    piece->power = power;
    return reinterpret_cast<uint8_t*>(piece) + kSmallest;
  }

  void Give(void* place) {
    if (place == nullptr) return;
    const std::lock_guard lock(mutex_);
    auto* piece = reinterpret_cast<Piece*>(static_cast<uint8_t*>(place) - kSmallest);
    piece->next = spares_.at(piece->power);
    spares_.at(piece->power) = piece;
  }

 private:
  struct Piece {
    size_t power;
    Piece* next;
  };

  void Open() {
    void* memory = nullptr;
    const cudaError_t error = cudaHostAlloc(&memory, kArenaBytes, cudaHostAllocMapped | cudaHostAllocPortable);
    if (error != cudaSuccess) {
      std::fprintf(stderr, "cudaHostAlloc: %s\n", cudaGetErrorString(error));
      std::_Exit(2);
    }
    begin_ = static_cast<uint8_t*>(memory);
  }

  std::mutex mutex_;
  uint8_t* begin_ = nullptr;
  size_t used_ = 0;
  std::array<Piece*, kSizes> spares_ = {};
};

Arena& TheArena() {
  static auto* arena = new (std::malloc(sizeof(Arena))) Arena;  // outlives every destructor
  return *arena;
}

}  // namespace

void* operator new(size_t size) {
  void* place = TheArena().Take(size);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place) noexcept { TheArena().Give(place); }
void operator delete(void* place, size_t) noexcept { TheArena().Give(place); }
