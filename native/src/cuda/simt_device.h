#ifndef SFUMATO_CUDA_SIMT_DEVICE_H_
#define SFUMATO_CUDA_SIMT_DEVICE_H_

// The names of simt.h on a device; included by it only.

#include <bit>
#include <cstdint>

#define SFUMATO_DEVICE __device__ __forceinline__
#define SFUMATO_UNROLL _Pragma("unroll")
#define SFUMATO_UNROLL_LITTLE _Pragma("unroll 2")

namespace sfumato::cuda {

constexpr uint32_t kAllLanes = 0xFFFFFFFF;

/// An array in the device's memory.
template <class T>
class Global {
 public:
  Global() = default;
  __host__ __device__ Global(T* data) : data_(data) {}

  __device__ T& operator[](int64_t i) const { return data_[i]; }
  __device__ bool IsNull() const { return data_ == nullptr; }

 private:
  T* data_ = nullptr;
};

template <class T, int kSize>
class SharedArray {
 public:
  static_assert(sizeof(T) % 4 == 0, "smaller elements share a word");

  __device__ T& operator[](int i) { return values_[i]; }

 private:
  alignas(16) T values_[kSize];
};

template <class To, class From>
__device__ __forceinline__ To BitCast(const From& value) {
  return __builtin_bit_cast(To, value);
}

__device__ __forceinline__ int ThreadIndex() { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int BlockX() { return static_cast<int>(blockIdx.x); }
__device__ __forceinline__ int BlockY() { return static_cast<int>(blockIdx.y); }
__device__ __forceinline__ int BlockZ() { return static_cast<int>(blockIdx.z); }
__device__ __forceinline__ int GridX() { return static_cast<int>(gridDim.x); }

__device__ __forceinline__ void SyncBlock() { __syncthreads(); }
__device__ __forceinline__ void SyncWarp() { __syncwarp(); }

template <class T>
__device__ __forceinline__ T ShuffleXor(T value, int lane_mask) {
  return __shfl_xor_sync(kAllLanes, value, lane_mask);
}
template <class T>
__device__ __forceinline__ T ShuffleFrom(T value, int lane) {
  return __shfl_sync(kAllLanes, value, lane);
}
__device__ __forceinline__ uint32_t Ballot(bool predicate) { return __ballot_sync(kAllLanes, predicate); }
__device__ __forceinline__ int CountBits(uint32_t bits) { return __popc(bits); }

__device__ __forceinline__ Float4 Load4(const Global<const float>& array, int64_t i) {
  return *reinterpret_cast<const Float4*>(&array[i]);
}
template <int kSize>
__device__ __forceinline__ Float4 Load4(SharedArray<float, kSize>& array, int i) {
  return *reinterpret_cast<const Float4*>(&array[i]);
}
__device__ __forceinline__ Word2 Load4(const Global<const uint16_t>& array, int64_t i) {
  return *reinterpret_cast<const Word2*>(&array[i]);
}
template <int kSize>
__device__ __forceinline__ Word2 LoadWords2(SharedArray<uint32_t, kSize>& array, int64_t i) {
  return *reinterpret_cast<const Word2*>(&array[i]);
}
template <int kSize>
__device__ __forceinline__ Word4 LoadWords4(SharedArray<uint32_t, kSize>& array, int64_t i) {
  return *reinterpret_cast<const Word4*>(&array[i]);
}
/// For what is read once: not kept in the first-level cache.
__device__ __forceinline__ Word2 LoadWords2(const Global<const uint32_t>& array, int64_t i) {
  Word2 value;
  asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];" : "=r"(value.x), "=r"(value.y) : "l"(&array[i]));
  return value;
}
__device__ __forceinline__ Word4 LoadWords4(const Global<const uint32_t>& array, int64_t i) {
  Word4 value;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "l"(&array[i]));
  return value;
}

/// Starts to copy 16 bytes; WaitForCopies and a barrier end it.
template <class To, int kSize, class From>
__device__ __forceinline__ void CopyAsync16(SharedArray<To, kSize>& to, int i, const Global<const From>& from,
                                            int64_t j) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(&to[i]));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(&from[j]) : "memory");
}
/// Closes a group of the thread's copies.
__device__ __forceinline__ void CommitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most kGroups of the thread's latest groups are unfinished.
template <int kGroups>
__device__ __forceinline__ void WaitForCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
}

/// sums += a b: mma.sync.m16n8k16 of bfloat16 with sums in float, in the fragments of the PTX manual.
__device__ __forceinline__ void MultiplyBfloat16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// sums += a b: mma.sync.m16n8k32 of E4M3 numbers, four in a register; from compute capability 8.9 on. Tensor cores for them
/// (8.9, 12.0) keep sums in about 22 bits, so a product is summed by itself and added as floats are. For 9.0 and 10.0 ptxas makes
/// conversions to FP16, two products of these, and that addition out of the instruction.
__device__ __forceinline__ void MultiplyFloat8(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 900 && __CUDA_ARCH__ < 1200
  float(&products)[4] = sums;
#else
  float products[4] = {};
#endif
#if __CUDA_ARCH__ >= 890
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(products[0]), "+f"(products[1]), "+f"(products[2]), "+f"(products[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();  // CheckFloat8Capability refuses such a GPU
#endif
#if __CUDA_ARCH__ < 900 || __CUDA_ARCH__ >= 1200
  SFUMATO_UNROLL
  for (int i = 0; i < 4; ++i) sums[i] += products[i];
#endif
}

/// a b + c of each half, bfloat16 numbers, rounded once; subnormal ones are numbers like others.
__device__ __forceinline__ uint32_t MultiplyAddBfloat16(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t sum;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
  return sum;
}

/// Transposes an 8 x 8 matrix of 16-bit numbers of which lane i holds row i / 4, columns i % 4 * 2 and the next
/// (movmatrix.sync).
__device__ __forceinline__ uint32_t TransposeFragment(uint32_t fragment) {
  uint32_t transposed;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(transposed) : "r"(fragment));
  return transposed;
}

/// Four 8 x 8 matrices of 16-bit numbers, transposed (ldmatrix.x4.trans): lane i brings the place of row i % 8 of matrix
/// i / 8, 16 bytes, and takes of each matrix column i / 4 of rows i % 4 * 2 and the next.
template <int kSize>
__device__ __forceinline__ void LoadTransposed(SharedArray<uint32_t, kSize>& array, int i, uint32_t (&words)[4]) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(&array[i]));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(address)
               : "memory");
}

__device__ __forceinline__ uint32_t PackBfloat16(float low, float high) {
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_SIMT_DEVICE_H_
