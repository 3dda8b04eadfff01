// What the GPU at hand can do, measured beside the steps that are compared with it: one line of JSON with the rate of copies
// in its memory, bytes read and written, and that of mma.sync (m16n8k16, BF16, sums in F32) out of registers.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kRounds = 4096;
constexpr int kChains = 8;

__global__ void Multiply(float* results) {
  float sums[kChains][4] = {};
  const uint32_t a[4] = {0x3F803F80u + threadIdx.x % 2, 0x3F803F80u, 0x3F803F80u, 0x3F803F80u};
  const uint32_t b[2] = {0x3F803F80u, 0x3F803F80u};
  for (int round = 0; round < kRounds; ++round) {
#pragma unroll
    for (int chain = 0; chain < kChains; ++chain) {
      float* c = sums[chain];
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
  }
  float sum = 0;
  for (int chain = 0; chain < kChains; ++chain) sum += sums[chain][0];
  results[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

void Check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", cudaGetErrorName(error), cudaGetErrorString(error));
  std::exit(1);
}

/// The best of five, in seconds.
template <class Work>
double Seconds(const Work& work) {
  cudaEvent_t begin;
  cudaEvent_t end;
  Check(cudaEventCreate(&begin));
  Check(cudaEventCreate(&end));
  float best = 1e9f;
  for (int i = 0; i < 6; ++i) {
    Check(cudaEventRecord(begin));
    work();
    Check(cudaEventRecord(end));
    Check(cudaEventSynchronize(end));
    float milliseconds = 0;
    Check(cudaEventElapsedTime(&milliseconds, begin, end));
    if (i > 0) best = std::min(best, milliseconds);  // the first warms up
  }
  return best / 1e3;
}

}  // namespace

int main() {
  cudaDeviceProp properties;
  Check(cudaGetDeviceProperties(&properties, 0));
  size_t free_bytes = 0;
  size_t total_bytes = 0;
  Check(cudaMemGetInfo(&free_bytes, &total_bytes));
  const size_t bytes = std::min<size_t>(size_t{4} << 30, free_bytes / 4);
  void* from = nullptr;
  void* to = nullptr;
  Check(cudaMalloc(&from, bytes));
  Check(cudaMalloc(&to, bytes));
  Check(cudaMemset(from, 1, bytes));
  const double copy = Seconds([&] { Check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice)); });
  const int blocks = properties.multiProcessorCount * 4;
  constexpr int kThreads = 256;
  const double multiply = Seconds([&] {
    Multiply<<<blocks, kThreads>>>(static_cast<float*>(to));
    Check(cudaGetLastError());
  });
  const double operations = 2.0 * 16 * 8 * 16 * kChains * kRounds * blocks * (kThreads / 32);
  std::printf("{\"name\": \"%s\", \"total_bytes\": %zu, \"free_bytes\": %zu, \"copy\": %.4g, \"mma_sync\": %.4g}\n",
              properties.name, total_bytes, free_bytes, 2.0 * static_cast<double>(bytes) / copy, operations / multiply);
  return 0;
}
