#ifndef SFUMATO_CUDA_SIMT_H_
#define SFUMATO_CUDA_SIMT_H_

// What a kernel may use of the machine, under names of its own, so that the same source runs on a device (compiled by
// nvcc) and on a CPU under the harness of test/simt, which checks what a device would not: see docs/decisions/0060.
//
// A kernel is a struct of arguments:
//
//   struct SomeKernel {
//     static constexpr const char* kName = "some";
//     static constexpr int kThreads = 128;   // of a block
//     struct Shared { SharedArray<float, 32> numbers; };
//     Global<const float> input;
//     SFUMATO_DEVICE void operator()(Shared& shared) const;
//   };
//
// Global memory is reached through Global, shared memory through SharedArray of 4-byte elements, nothing else.

#include <cstdint>

namespace sfumato::cuda {

constexpr int kWarpThreads = 32;

/// Blocks of a launch.
struct Grid {
  int64_t x = 1;
  int64_t y = 1;
  int64_t z = 1;
};

/// Four numbers that are loaded at once from an address that is a multiple of 16 bytes.
struct alignas(16) Float4 {
  float x, y, z, w;
};
struct alignas(16) Word4 {
  uint32_t x, y, z, w;
};
/// Two, or four 16-bit numbers, from an address that is a multiple of 8 bytes.
struct alignas(8) Word2 {
  uint32_t x, y;
};

}  // namespace sfumato::cuda

#if defined(__CUDACC__)
#include "cuda/simt_device.h"
#else
#include "cuda/simt_host.h"
#endif

namespace sfumato::cuda {

SFUMATO_DEVICE int Lane() { return ThreadIndex() % kWarpThreads; }
SFUMATO_DEVICE int WarpIndex() { return ThreadIndex() / kWarpThreads; }

SFUMATO_DEVICE double ShuffleXor(double value, int lane_mask) {
  struct Halves {
    uint32_t low, high;
  };
  Halves halves = BitCast<Halves>(value);
  halves.low = ShuffleXor(halves.low, lane_mask);
  halves.high = ShuffleXor(halves.high, lane_mask);
  return BitCast<double>(halves);
}

/// The sum over a warp's lanes, in all of them; always added in the same order.
template <class Number>
SFUMATO_DEVICE Number WarpSum(Number value) {
  for (int mask = kWarpThreads / 2; mask > 0; mask /= 2) value += ShuffleXor(value, mask);
  return value;
}

SFUMATO_DEVICE float WarpMaximum(float value) {
  for (int mask = kWarpThreads / 2; mask > 0; mask /= 2) value = fmaxf(value, ShuffleXor(value, mask));
  return value;
}

/// The sum over a block's threads, in all of them. One slot of shared memory for each warp; the caller separates uses of
/// the same slots by SyncBlock.
template <class Number, int kSlots>
SFUMATO_DEVICE Number BlockSum(Number value, SharedArray<Number, kSlots>& slots) {
  value = WarpSum(value);
  if (Lane() == 0) slots[WarpIndex()] = value;
  SyncBlock();
  Number sum = 0;
  for (int warp = 0; warp < kSlots; ++warp) sum += slots[warp];
  return sum;
}

/// What products read; the device's side of OperandView. Pairs of E4M3 numbers take the place of bfloat16 numbers where
/// weights are such pairs.
struct Input {
  Global<const float> floats;
  Global<const uint16_t> bfloat16s;
};

/// What a kernel writes for products to read; the device's side of Operand. Both where the exact numbers are wanted too.
struct Output {
  Global<float> floats;
  Global<uint16_t> bfloat16s;

  SFUMATO_DEVICE void Store(int64_t i, float value) const {
    if (!floats.IsNull()) floats[i] = value;
    if (!bfloat16s.IsNull()) bfloat16s[i] = static_cast<uint16_t>(PackBfloat16(value, 0));
  }
};

/// A pair of floats as the sum of kTerms pairs of bfloat16 numbers, greatest first. Three terms hold a float exactly,
/// unless it is near the least normal one.
template <int kTerms>
SFUMATO_DEVICE void SplitBfloat16(float low, float high, uint32_t (&terms)[kTerms]) {
  for (int term = 0; term < kTerms; ++term) {
    terms[term] = PackBfloat16(low, high);
    low -= BitCast<float>(terms[term] << 16);
    high -= BitCast<float>(terms[term] & 0xFFFF0000);
  }
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_SIMT_H_
