#include "cuda/weight_packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/number_formats.h"
#include "cuda/weights.h"

namespace sfumato::cuda {
namespace {

constexpr int kGroup = Int4Weights::kGroupTiles * kInnerTile;

/// The place in a strip's rows of a lane's number in a tile: of register 0 to 3 the first or the second.
int64_t PlaceOf(int64_t tiles, int64_t tile, int lane, int reg, int number) {
  const int row = lane / 4 + reg % 2 * 8;
  return row * tiles * kInnerTile + tile * kInnerTile + lane % 4 * 4 + reg / 2 * 2 + number;
}

/// A strip's words, whose loads lie apart.
template <class Word>
Word* LoadOf(Word* words, int64_t tile, const WeightShape& shape) {
  return words + tile / shape.load_tiles * kBlockStrips * shape.load_words;
}

/// The next term of a number, which keeps what is left.
uint32_t TakeTerm(float& number) {
  const uint16_t term = ToBfloat16(number);
  number -= FromBfloat16(term);
  return term;
}

float LargestOf(const float* numbers, int64_t size) {
  float largest = 0;
  for (int64_t i = 0; i < size; ++i) largest = std::max(largest, std::fabs(numbers[i]));
  return largest;
}

bool IsUsable(const float* numbers, int64_t size) {
  return std::all_of(numbers, numbers + size, [](float number) { return std::fabs(number) < kLargestWeight; });
}

void PackTerms(int terms, float* rows, int64_t tiles, const WeightShape& shape, uint32_t* words) {
  for (int64_t tile = 0; tile < tiles; ++tile) {
    for (int term = 0; term < terms; ++term) {
      for (int lane = 0; lane < kWarpThreads; ++lane) {
        for (int reg = 0; reg < 4; ++reg) {
          float* low = rows + PlaceOf(tiles, tile, lane, reg, 0);
          LoadOf(words, tile, shape)[(term * kWarpThreads + lane) * 4 + reg] = TakeTerm(low[0]) | TakeTerm(low[1])
                                                                                                      << 16;
        }
      }
    }
  }
}

/// Where a number of a lane's word of FP8 lies.
int Fp8ShiftOf(int reg, int number) { return 8 * (number * 2 + 1 - reg % 2); }
int64_t Fp8WordOf(int64_t tile, int lane, int reg) {
  return (tile % Fp8Weights::kLoadTiles * kWarpThreads + lane) * 2 + reg / 2;
}

/// 0 for an output of zeros.
float Fp8ScaleOf(const float* numbers, int64_t size) {
  const float largest = LargestOf(numbers, size);
  return largest < kLeastWeight ? 0 : Float8ScaleOf(largest);
}

uint8_t Fp8Of(float value, float scale) { return scale == 0 ? 0 : ToFloat8(value / scale); }

void SetFp8Scales(const float* rows, int64_t tiles, float* scales) {
  for (int row = 0; row < kStripOutputs; ++row)
    scales[row] = Fp8ScaleOf(rows + row * tiles * kInnerTile, tiles * kInnerTile);
}

void PackFp8(const float* rows, int64_t tiles, const WeightShape& shape, uint32_t* words, float* scales) {
  SetFp8Scales(rows, tiles, scales);
  for (int64_t tile = 0; tile < tiles; ++tile) {
    uint32_t* load = LoadOf(words, tile, shape);
    for (int lane = 0; lane < kWarpThreads; ++lane) {
      for (int reg = 0; reg < 4; ++reg) {
        const float scale = scales[lane / 4 + reg % 2 * 8];
        uint32_t& word = load[Fp8WordOf(tile, lane, reg)];
        if (reg % 2 == 0) word = 0;
        for (int number = 0; number < 2; ++number) {
          const uint32_t byte = Fp8Of(rows[PlaceOf(tiles, tile, lane, reg, number)], scale);
          word |= byte << Fp8ShiftOf(reg, number);
        }
      }
    }
  }
}

/// The place in a strip's rows of a lane's number of Fp8PairWeights, one of a register's four; tile: the first of the two that
/// a load is.
int64_t Fp8PairPlaceOf(int64_t tiles, int64_t tile, int lane, int reg, int number) {
  return (lane / 4 + reg % 2 * 8) * tiles * kInnerTile + tile * kInnerTile + lane % 4 * 8 + reg / 2 * 4 + number;
}

void PackFp8Pairs(const float* rows, int64_t tiles, const WeightShape& shape, uint32_t* words, float* scales) {
  SetFp8Scales(rows, tiles, scales);
  for (int64_t tile = 0; tile < tiles; tile += shape.load_tiles) {
    for (int lane = 0; lane < kWarpThreads; ++lane) {
      for (int reg = 0; reg < 4; ++reg) {
        uint32_t word = 0;
        for (int number = 0; number < 4; ++number) {
          const uint32_t byte =
              Fp8Of(rows[Fp8PairPlaceOf(tiles, tile, lane, reg, number)], scales[lane / 4 + reg % 2 * 8]);
          word |= byte << 8 * number;
        }
        LoadOf(words, tile, shape)[lane * 4 + reg] = word;
      }
    }
  }
}

void UnpackFp8Pairs(const uint32_t* words, const float* scales, int64_t tiles, const WeightShape& shape, float* rows) {
  for (int64_t tile = 0; tile < tiles; tile += shape.load_tiles) {
    for (int lane = 0; lane < kWarpThreads; ++lane) {
      for (int reg = 0; reg < 4; ++reg) {
        const uint32_t word = LoadOf(words, tile, shape)[lane * 4 + reg];
        for (int number = 0; number < 4; ++number) {
          rows[Fp8PairPlaceOf(tiles, tile, lane, reg, number)] =
              scales[lane / 4 + reg % 2 * 8] * FromFloat8(static_cast<uint8_t>(word >> 8 * number));
        }
      }
    }
  }
}

/// To the nearest whole number, ties to even, of less than 2^22.
float Round(float value) {
  constexpr float kMagic = 0x1.8p23f;
  return value + kMagic - kMagic;
}

float Int4Of(float value, float inverse) { return std::clamp(Round(value * inverse), -8.0f, 7.0f); }

/// A group's scale; 0 for one of zeros.
float Int4ScaleOf(const float* group) {
  const float extreme =
      *std::max_element(group, group + kGroup, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  if (std::fabs(extreme) < kLeastWeight) return 0;
  // Floats with five significant bits, counted: the lower 19 bits are zeros.
  const uint32_t first = std::bit_cast<uint32_t>(std::fabs(extreme) / 11) >> 19;
  const uint32_t last = std::bit_cast<uint32_t>(std::fabs(extreme) / 7) >> 19;
  float best = 0;
  float least_error = INFINITY;
  for (uint32_t i = first + 1; i <= last; ++i) {
    const float scale = std::copysign(std::bit_cast<float>(i << 19), -extreme);
    const float inverse = 1 / scale;
    std::array<float, 4> errors = {};
    for (size_t k = 0; k < kGroup; k += 4) {
      for (size_t j = 0; j < 4; ++j) {
        const float error = group[k + j] - Int4Of(group[k + j], inverse) * scale;
        errors[j] += error * error;
      }
    }
    const float error = (errors[0] + errors[1]) + (errors[2] + errors[3]);
    if (error < least_error) {
      least_error = error;
      best = scale;
    }
  }
  return best;
}

void PackInt4(const float* rows, int64_t tiles, const WeightShape& shape, uint32_t* words) {
  for (int64_t tile = 0; tile < tiles; tile += Int4Weights::kGroupTiles) {
    uint32_t* load = LoadOf(words, tile, shape);
    std::array<float, kStripOutputs> inverses;
    for (int row = 0; row < kStripOutputs; ++row) {
      const float scale = Int4ScaleOf(rows + (row * tiles + tile) * kInnerTile);
      inverses[static_cast<size_t>(row)] = scale == 0 ? 0 : 1 / scale;
      uint32_t& pair = load[Int4Weights::kScales + row];
      const uint32_t kept = ToBfloat16(scale * 16);
      pair = tile % Int4Weights::kLoadTiles == 0 ? kept : pair | kept << 16;
    }
    for (int64_t t = tile; t < tile + Int4Weights::kGroupTiles; ++t) {
      for (int lane = 0; lane < kWarpThreads; ++lane) {
        uint32_t word = 0;
        for (int reg = 0; reg < 4; ++reg) {
          for (int number = 0; number < 2; ++number) {
            const float weight = rows[PlaceOf(tiles, t, lane, reg, number)];
            const float whole = Int4Of(weight, inverses[static_cast<size_t>(lane / 4 + reg % 2 * 8)]);
            word |= static_cast<uint32_t>(static_cast<int>(whole) + 8) << (number * 16 + reg * 4);
          }
        }
        load[t % Int4Weights::kLoadTiles * kWarpThreads + lane] = word;
      }
    }
  }
}

template <class Weights>
constexpr WeightShape Shape(int numbers = 1) {
  return {Weights::kLoadTiles * numbers, Weights::kLoadWords, Weights::kOutputScales, numbers};
}

}  // namespace

WeightShape ShapeOf(WeightFormat format) {
  if (format == WeightFormat::kFp8) return Shape<Fp8Weights>();
  if (format == WeightFormat::kFp8Pairs) return Shape<Fp8PairWeights>(Fp8PairWeights::kNumbers);
  if (format == WeightFormat::kInt4) return Shape<Int4Weights>();
  return format == WeightFormat::kBfloat16 ? Shape<Bfloat16Weights<1>>() : Shape<Bfloat16Weights<3>>();
}

int PackStrip(WeightFormat format, float* rows, int64_t tiles, uint32_t* words, float* scales) {
  const WeightShape shape = ShapeOf(format);
  if (format == WeightFormat::kBfloat16 || format == WeightFormat::kBfloat16Terms) {
    PackTerms(format == WeightFormat::kBfloat16 ? 1 : 3, rows, tiles, shape, words);
    return -1;
  }
  for (int row = 0; row < kStripOutputs; ++row) {
    if (!IsUsable(rows + row * tiles * kInnerTile, tiles * kInnerTile)) return row;
  }
  if (format == WeightFormat::kFp8) {
    PackFp8(rows, tiles, shape, words, scales);
  } else if (format == WeightFormat::kFp8Pairs) {
    PackFp8Pairs(rows, tiles, shape, words, scales);
  } else {
    PackInt4(rows, tiles, shape, words);
  }
  return -1;
}

bool PackFloat8(const float* row, int64_t size, uint8_t* numbers, float* scale) {
  if (!IsUsable(row, size)) return false;
  *scale = Fp8ScaleOf(row, size);
  std::transform(row, row + size, numbers, [scale](float value) { return Fp8Of(value, *scale); });
  return true;
}

void RefuseWeights(WeightFormat format, int64_t row) {
  Fail(SFUMATO_DATA_LOSS, "weights", "not finite or beyond 2^100 in row " + std::to_string(row),
       "numbers that can be kept in " + std::string(format == WeightFormat::kInt4 ? "4 bits" : "FP8"));
}

void UnpackStrip(WeightFormat format, const uint32_t* words, const float* scales, int64_t tiles, float* rows) {
  const WeightShape shape = ShapeOf(format);
  if (format == WeightFormat::kFp8Pairs) return UnpackFp8Pairs(words, scales, tiles, shape, rows);
  const int terms = format == WeightFormat::kBfloat16Terms ? 3 : 1;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const uint32_t* load = LoadOf(words, tile, shape);
    for (int lane = 0; lane < kWarpThreads; ++lane) {
      for (int reg = 0; reg < 4; ++reg) {
        const int row = lane / 4 + reg % 2 * 8;
        for (int number = 0; number < 2; ++number) {
          float& value = rows[PlaceOf(tiles, tile, lane, reg, number)];
          if (format == WeightFormat::kFp8) {
            value = scales[row] *
                    FromFloat8(static_cast<uint8_t>(load[Fp8WordOf(tile, lane, reg)] >> Fp8ShiftOf(reg, number)));
          } else if (format == WeightFormat::kInt4) {
            const uint32_t pair = load[Int4Weights::kScales + row];
            const int64_t group = tile % Int4Weights::kLoadTiles / Int4Weights::kGroupTiles;
            const uint32_t word = load[tile % Int4Weights::kLoadTiles * kWarpThreads + lane];
            const int whole = static_cast<int>(word >> (number * 16 + reg * 4) & 0xF) - 8;
            value = static_cast<float>(whole) * FromBfloat16(static_cast<uint16_t>(pair >> (16 * group))) / 16;
          } else {
            value = 0;
            for (int term = 0; term < terms; ++term)
              value +=
                  FromBfloat16(static_cast<uint16_t>(load[(term * kWarpThreads + lane) * 4 + reg] >> (16 * number)));
          }
        }
      }
    }
  }
}

}  // namespace sfumato::cuda
