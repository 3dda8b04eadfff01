#include "peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sfumato::bench {
namespace {

constexpr int kChains = 12;
constexpr int64_t kTurns = 100000;

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) float RunAvx2() {
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(1.0f);
  const __m256 factor = _mm256_set1_ps(0.999f);
  const __m256 addend = _mm256_set1_ps(1e-6f);
  for (int64_t turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 16
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, addend);
  }
  __m256 total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm256_add_ps(total, sums[i]);
  return _mm256_cvtss_f32(total);
}

__attribute__((target("avx512f"))) float RunAvx512() {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1.0f);
  const __m512 factor = _mm512_set1_ps(0.999f);
  const __m512 addend = _mm512_set1_ps(1e-6f);
  for (int64_t turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 16
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, addend);
  }
  __m512 total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm512_add_ps(total, sums[i]);
  return _mm512_cvtss_f32(total);
}

__attribute__((target("avxvnni"))) float RunAvx2Int8() {
  __m256i sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_epi32(i);
  const __m256i a = _mm256_set1_epi32(0x01020304);
  const __m256i b = _mm256_set1_epi32(0x01FF0201);
  for (int64_t turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 16
    for (__m256i& sum : sums) sum = _mm256_dpbusd_avx_epi32(sum, a, b);
  }
  __m256i total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm256_add_epi32(total, sums[i]);
  return static_cast<float>(_mm256_extract_epi32(total, 0));
}

__attribute__((target("avx512f,avx512vnni"))) float RunAvx512Int8() {
  __m512i sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_epi32(i);
  const __m512i a = _mm512_set1_epi32(0x01020304);
  const __m512i b = _mm512_set1_epi32(0x01FF0201);
  for (int64_t turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 16
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, b);
  }
  __m512i total = sums[0];
  for (int i = 1; i < kChains; ++i) total = _mm512_add_epi32(total, sums[i]);
  return static_cast<float>(total[0]);
}
#endif

float RunPortable() {
  float sums[kChains];
  std::fill(std::begin(sums), std::end(sums), 1.0f);
  for (int64_t turn = 0; turn < kTurns; ++turn) {
    for (float& sum : sums) sum = sum * 0.999f + 1e-6f;
  }
  return *std::max_element(std::begin(sums), std::end(sums));
}

/// Billions of operations per second of a run with so many multiply-adds in each step of a chain.
double BestRate(float (*run)(), double lanes, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  double best = 0;
  volatile float sink = 0;
  while (Clock::now() < end) {
    const auto start = Clock::now();
    sink = run();
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * lanes * kChains * kTurns / elapsed / 1e9);
  }
  (void)sink;
  return best;
}

}  // namespace

double PeakGflops(double seconds) {
  float (*run)() = RunPortable;
  double lanes = 1;
#if defined(__x86_64__)
  if (Supports(InstructionSet::kAvx2)) run = RunAvx2, lanes = 8;
  if (Supports(InstructionSet::kAvx512)) run = RunAvx512, lanes = 16;
#endif
  return BestRate(run, lanes, seconds);
}

double PeakInt8Gops(double seconds) {
#if defined(__x86_64__)
  if (SupportsInt8Products(InstructionSet::kAvx512)) return BestRate(RunAvx512Int8, 64, seconds);
  if (SupportsInt8Products(InstructionSet::kAvx2)) return BestRate(RunAvx2Int8, 32, seconds);
#endif
  (void)seconds;
  return 0;
}

}  // namespace sfumato::bench
