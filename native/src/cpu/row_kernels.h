#ifndef SFUMATO_CPU_ROW_KERNELS_H_
#define SFUMATO_CPU_ROW_KERNELS_H_

#include "cpu/kernels.h"
#include "cpu/simd.h"

namespace sfumato::cpu {
namespace {

inline void StoreUpTo(float* p, Vec value, int64_t count) {
  if (count == kLanes) {
    Store(p, value);
  } else {
    StorePart(p, value, count);
  }
}

void RmsNorm(const float* input, const float* weight, float epsilon, int64_t size, float* output) {
  Vec squares = Set(0.0f);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec x = LoadUpTo(input + i, count, 0.0f);
    squares = MultiplyAdd(x, x, squares);
  });
  const Vec scale = Set(1.0f / __builtin_sqrtf(SumLanes(squares) / static_cast<float>(size) + epsilon));
  ForVectors(size, [&](int64_t i, int64_t count) {
    StoreUpTo(output + i, LoadUpTo(input + i, count, 0.0f) * scale * LoadUpTo(weight + i, count, 0.0f), count);
  });
}

void LayerNorm(const float* input, const float* weight, const float* bias, float epsilon, int64_t size, float* output) {
  Vec sum = Set(0.0f);
  ForVectors(size, [&](int64_t i, int64_t count) { sum = sum + LoadUpTo(input + i, count, 0.0f); });
  const float mean_value = SumLanes(sum) / static_cast<float>(size);
  const Vec mean = Set(mean_value);
  Vec squares = Set(0.0f);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec x = LoadUpTo(input + i, count, mean_value) - mean;
    squares = MultiplyAdd(x, x, squares);
  });
  const Vec scale = Set(1.0f / __builtin_sqrtf(SumLanes(squares) / static_cast<float>(size) + epsilon));
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec x = (LoadUpTo(input + i, count, 0.0f) - mean) * scale;
    StoreUpTo(output + i, MultiplyAdd(x, LoadUpTo(weight + i, count, 0.0f), LoadUpTo(bias + i, count, 0.0f)), count);
  });
}

void Rope(float* row, int64_t heads, int64_t head_dim, int64_t rotary_dim, const float* cosines, const float* sines) {
  const int64_t half = rotary_dim / 2;
  for (int64_t head = 0; head < heads; ++head) {
    float* first = row + head * head_dim;
    float* second = first + half;
    ForVectors(half, [&](int64_t i, int64_t count) {
      const Vec a = LoadUpTo(first + i, count, 0.0f);
      const Vec b = LoadUpTo(second + i, count, 0.0f);
      const Vec c = LoadUpTo(cosines + i, count, 0.0f);
      const Vec s = LoadUpTo(sines + i, count, 0.0f);
      StoreUpTo(first + i, a * c - b * s, count);
      StoreUpTo(second + i, b * c + a * s, count);
    });
  }
}

void AddTo(const float* addend, int64_t size, float* sum) {
  ForVectors(size, [&](int64_t i, int64_t count) {
    StoreUpTo(sum + i, LoadUpTo(sum + i, count, 0.0f) + LoadUpTo(addend + i, count, 0.0f), count);
  });
}

void AddAndScale(const float* addend, float factor, int64_t size, float* sum) {
  const Vec factors = Set(factor);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec x = LoadUpTo(sum + i, count, 0.0f);
    StoreUpTo(sum + i, (addend == nullptr ? x : x + LoadUpTo(addend + i, count, 0.0f)) * factors, count);
  });
}

void AddScaled(const float* addend, float factor, int64_t size, float* sum) {
  const Vec factors = Set(factor);
  ForVectors(size, [&](int64_t i, int64_t count) {
    StoreUpTo(sum + i, MultiplyAdd(factors, LoadUpTo(addend + i, count, 0.0f), LoadUpTo(sum + i, count, 0.0f)), count);
  });
}

/// tanh(x) as 1 - 2 / (1 + exp(2 x)).
void Cap(float cap, int64_t size, float* logits) {
  const Vec twice = Set(2.0f / cap);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec e = Exp(LoadUpTo(logits + i, count, 0.0f) * twice);
    StoreUpTo(logits + i, Set(cap) - Set(2.0f * cap) / (Set(1.0f) + e), count);
  });
}

void Guide(const float* unconditional, float scale, int64_t size, float* logits) {
  const Vec factor = Set(scale + 1.0f);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec u = LoadUpTo(unconditional + i, count, 0.0f);
    StoreUpTo(logits + i, u + factor * (LoadUpTo(logits + i, count, 0.0f) - u), count);
  });
}

/// Index of the first number that equals the given one, which is there.
inline int32_t FirstOf(float value, const float* numbers, int64_t size) {
  const Vec wanted = Set(value);
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const uint32_t equal = EqualLanes(Load(numbers + i), wanted);
    if (equal != 0) return static_cast<int32_t>(i) + __builtin_ctz(equal);
  }
  while (i < size - 1 && numbers[i] != value) ++i;
  return static_cast<int32_t>(i);
}

void LogitStatisticsOf(const float* logits, int64_t size, float scale, float sampling_scale,
                       LogitStatistics* statistics) {
  Vec best_lanes = Set(-kInfinity);
  Vec second_lanes = Set(-kInfinity);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec z = LoadUpTo(logits + i, count, -kInfinity);
    second_lanes = Max(second_lanes, Min(best_lanes, z));
    best_lanes = Max(best_lanes, z);
  });
  const float best = MaxLane(best_lanes);
  *statistics = {best, -kInfinity, -1, 0.0f, 0.0f, 0.0f};
  if (!(best > -kInfinity)) return;

  alignas(64) float firsts[kLanes];
  alignas(64) float seconds[kLanes];
  Store(firsts, best_lanes);
  Store(seconds, second_lanes);
  bool seen = false;
  for (int64_t i = 0; i < kLanes; ++i) {
    float runner_up = seconds[i];
    if (firsts[i] != best || seen) {
      runner_up = firsts[i];
    } else {
      seen = true;
    }
    if (runner_up > statistics->second) statistics->second = runner_up;
  }
  statistics->best_token = FirstOf(best, logits, size);

  // Exponents in units of log 2. The floor is far below where the power is zero, so that the product with it is zero
  // and not a NaN.
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2 = 0.693147181f;
  const Vec maximum = Set(best);
  const Vec factor = Set(scale * kLog2E);
  const Vec floor = Set(-1000.0f);
  Vec sum = Set(0.0f);
  Vec weighted = Set(0.0f);
  ForVectors(size, [&](int64_t i, int64_t count) {
    const Vec x = Max(floor, (LoadUpTo(logits + i, count, -kInfinity) - maximum) * factor);
    const Vec e = ExpBaseTwo(x);
    sum = sum + e;
    weighted = MultiplyAdd(x, e, weighted);
  });
  statistics->sum = SumLanes(sum);
  statistics->weighted_sum = SumLanes(weighted) * kLn2;
  statistics->sampling_sum = statistics->sum;
  if (sampling_scale == scale) return;
  const Vec sampling_factor = Set(sampling_scale * kLog2E);
  Vec sampling = Set(0.0f);
  ForVectors(size, [&](int64_t i, int64_t count) {
    sampling = sampling + ExpBaseTwo((LoadUpTo(logits + i, count, -kInfinity) - maximum) * sampling_factor);
  });
  statistics->sampling_sum = SumLanes(sampling);
}

void Widen(const Bfloat16* input, int64_t size, float* output) {
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) Store(output + i, Load(input + i));
  for (; i < size; ++i) {
    const uint32_t bits = static_cast<uint32_t>(input[i].bits) << 16;
    __builtin_memcpy(output + i, &bits, sizeof(bits));
  }
}

void Exponential(const float* input, int64_t size, float* output) {
  ForVectors(size,
             [&](int64_t i, int64_t count) { StoreUpTo(output + i, Exp(LoadUpTo(input + i, count, 0.0f)), count); });
}

void GeluOf(const float* input, int64_t size, float* output) {
  ForVectors(size,
             [&](int64_t i, int64_t count) { StoreUpTo(output + i, Gelu(LoadUpTo(input + i, count, 0.0f)), count); });
}

void SiluOf(const float* input, int64_t size, float* output) {
  ForVectors(size,
             [&](int64_t i, int64_t count) { StoreUpTo(output + i, Silu(LoadUpTo(input + i, count, 0.0f)), count); });
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_ROW_KERNELS_H_
