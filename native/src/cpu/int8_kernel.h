// What the product kernel needs to know of quads of whole numbers. Included by kernel sources; SFUMATO_VNNI asks for the
// instructions that multiply and add four pairs of 8 bits at once.
#ifndef SFUMATO_CPU_INT8_KERNEL_H_
#define SFUMATO_CPU_INT8_KERNEL_H_

#include "cpu/kernels.h"
#include "cpu/simd.h"

namespace sfumato::cpu {
namespace {

#if defined(SFUMATO_SIMD_512) || defined(__AVX2__)

#if defined(SFUMATO_VNNI)

struct InputQuad {
  int8_t levels[4];
};
using Factor = IntVec;

#else

/// Widened, and in the order in which the weights' bytes come as 16 bits: those at even places, then the others. Bytes
/// themselves can't be multiplied and added without saturation.
struct InputQuad {
  int16_t even[2];
  int16_t odd[2];
};

struct Factor {
  IntVec even;
  IntVec odd;
};

#endif

inline int32_t BitsOf(const void* p) {
  int32_t bits;
  __builtin_memcpy(&bits, p, sizeof(bits));
  return bits;
}

#endif

#if defined(SFUMATO_SIMD_512)

inline IntVec Load(const WeightQuad* p) { return _mm512_loadu_si512(p); }

#if defined(SFUMATO_VNNI)

inline Factor Set(InputQuad quad) { return _mm512_set1_epi32(BitsOf(quad.levels)); }
inline WholeVec MultiplyAdd(Factor a, IntVec b, WholeVec sum) { return _mm512_dpbusd_epi32(sum, b, a); }
inline void StoreQuads(InputQuad* to, IntVec levels) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(levels));
}

#else

inline Factor Set(const InputQuad& quad) {
  return {_mm512_set1_epi32(BitsOf(quad.even)), _mm512_set1_epi32(BitsOf(quad.odd))};
}
inline WholeVec MultiplyAdd(const Factor& a, IntVec b, WholeVec sum) {
  const IntVec even = _mm512_madd_epi16(_mm512_and_si512(b, _mm512_set1_epi32(0x00FF00FF)), a.even);
  return _mm512_add_epi32(sum, _mm512_add_epi32(even, _mm512_madd_epi16(_mm512_srli_epi16(b, 8), a.odd)));
}
inline void StoreQuads(InputQuad* to, IntVec levels) {
  const __m256i order =
      _mm256_setr_epi64x(0x0706030205040100, 0x0F0E0B0A0D0C0908, 0x0706030205040100, 0x0F0E0B0A0D0C0908);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_shuffle_epi8(_mm512_cvtepi32_epi16(levels), order));
}

#endif

#elif defined(__AVX2__)

inline IntVec Load(const WeightQuad* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

#if defined(SFUMATO_VNNI)

inline Factor Set(InputQuad quad) { return _mm256_set1_epi32(BitsOf(quad.levels)); }
inline WholeVec MultiplyAdd(Factor a, IntVec b, WholeVec sum) { return _mm256_dpbusd_avx_epi32(sum, b, a); }
inline void StoreQuads(InputQuad* to, IntVec levels) {
  const __m256i halves = _mm256_packs_epi32(levels, levels);
  const __m256i bytes = _mm256_packs_epi16(halves, halves);
  const int32_t quads[2] = {_mm256_extract_epi32(bytes, 0), _mm256_extract_epi32(bytes, 4)};
  __builtin_memcpy(to, quads, sizeof(quads));
}

#else

inline Factor Set(const InputQuad& quad) {
  return {_mm256_set1_epi32(BitsOf(quad.even)), _mm256_set1_epi32(BitsOf(quad.odd))};
}
inline WholeVec MultiplyAdd(const Factor& a, IntVec b, WholeVec sum) {
  const IntVec even = _mm256_madd_epi16(_mm256_and_si256(b, _mm256_set1_epi32(0x00FF00FF)), a.even);
  return _mm256_add_epi32(sum, _mm256_add_epi32(even, _mm256_madd_epi16(_mm256_srli_epi16(b, 8), a.odd)));
}
inline void StoreQuads(InputQuad* to, IntVec levels) {
  const __m256i halves = _mm256_packs_epi32(levels, levels);
  const __m128i quads = _mm256_castsi256_si128(_mm256_permute4x64_epi64(halves, 8));  // the low half of each lane
  const __m128i order = _mm_set_epi64x(0x0F0E0B0A0D0C0908, 0x0706030205040100);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(quads, order));
}

#endif

#else

struct InputQuad {
  float levels[4];
};

struct Factor {
  Vec levels[4];
};

inline IntVec Load(const WeightQuad* p) {
  IntVec quads;
  __builtin_memcpy(&quads, p, sizeof(quads));
  return quads;
}
inline Factor Set(const InputQuad& quad) {
  return {{Set(quad.levels[0]), Set(quad.levels[1]), Set(quad.levels[2]), Set(quad.levels[3])}};
}
inline WholeVec MultiplyAdd(const Factor& a, IntVec b, WholeVec sum) {
  for (int i = 0; i < 4; ++i) sum = MultiplyAdd(a.levels[i], __builtin_convertvector((b >> (8 * i)) & 255, Vec), sum);
  return sum;
}
inline void StoreQuads(InputQuad* to, IntVec levels) {
  const Vec floats = __builtin_convertvector(levels, Vec);
  __builtin_memcpy(to, &floats, sizeof(floats));
}

#endif

void Quantise(const float* input, int64_t input_stride, int64_t rows, int64_t inner, uint8_t* output,
              int64_t output_stride, Int8Group* groups, int64_t group_stride) {
  constexpr float kLevels = 127.0f;
  constexpr float kSmallest = 1e-30f;  // below it a group counts as zero, since its scale would be no normal number
  constexpr int64_t kGroup = 4 * kInt8GroupQuads;
  for (int64_t row = 0; row < rows; ++row) {
    auto* quads = reinterpret_cast<InputQuad*>(output) + row * output_stride;
    for (int64_t begin = 0; begin < inner; begin += kGroup) {
      const float* from = input + row * input_stride + begin;
      const int64_t size = inner - begin < kGroup ? inner - begin : kGroup;
      Vec magnitudes = Set(0.0f);
      Vec zeros = Set(0.0f);  // or not a number
      ForVectors(size, [&](int64_t i, int64_t count) {
        const Vec x = LoadUpTo(from + i, count, 0.0f);
        magnitudes = Max(magnitudes, Max(x, Set(0.0f) - x));
        zeros = MultiplyAdd(x, Set(0.0f), zeros);
      });
      const float largest = MaxLane(magnitudes);
      const float zero = SumLanes(zeros);
      const bool counts = zero == 0.0f && largest >= kSmallest;
      const Vec factor = Set(counts ? kLevels / largest : 0.0f);
      Vec sums = Set(0.0f);
      ForVectors(size, [&](int64_t i, int64_t count) {
        const Vec levels = Round((counts ? LoadUpTo(from + i, count, 0.0f) : Set(0.0f)) * factor);
        StoreQuads(quads + (begin + i) / 4, ToIntegers(levels));
        sums = sums + levels;
      });
      groups[row * group_stride + begin / kGroup] = {(counts ? largest / kLevels : 0.0f) + zero,
                                                     -128 * static_cast<int32_t>(SumLanes(sums))};
    }
  }
}

}  // namespace
}  // namespace sfumato::cpu

// After the overloads above, which its templates find.
#include "cpu/product_kernel.h"

namespace sfumato::cpu {
namespace {

void ProductOfInt8(const ProductTile<uint8_t, WeightQuad>& tile) {
  Product<InputQuad, WeightQuad>({reinterpret_cast<const InputQuad*>(tile.input), tile.input_stride, tile.rows,
                                  tile.inner, tile.panels, tile.columns, tile.far, tile.bias, tile.epilogue,
                                  tile.output, tile.output_stride, tile.scratch, tile.groups, tile.group_stride,
                                  tile.scales});
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_INT8_KERNEL_H_
