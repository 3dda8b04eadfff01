#ifndef SFUMATO_CUDA_WEIGHT_PACKING_H_
#define SFUMATO_CUDA_WEIGHT_PACKING_H_

// Packs weights on the host as the structs of weights.h read them. In detail, for a strip's load:
//
// Bfloat16Weights<terms>, a tile: for each term and lane the fragment's four registers, of two numbers each, the first in
// the lower half.
//
// Fp8Weights, two tiles of 16 inner numbers: for each tile and lane two words. The first has registers 0 and 1 of the
// fragment, the second 2 and 3: of bytes 0 to 3 the second register has 0 and 2, the first 1 and 3. A byte is E4M3, and a
// weight it times the scale of its output, the least power of two that takes the output's largest magnitude to 448 or less. An
// output whose weights are -2, 1, 0.5 and 0.01 has the scale 2^-7 and the bytes F8, 70, 68 and 3A: -256, 128, 64 and 1.25, which
// is 0.00977. Lane 0 holds the words 70?? F8?? and 3A?? 68??, where ?? are the bytes of output 8.
//
// Fp8PairWeights, a tile of 32 inner numbers: for each lane four words. Words 0 and 2 have eight neighbouring numbers of output
// lane / 4, from number lane % 4 * 8 of the tile on, the first in the lowest byte; words 1 and 3 those of output lane / 4 + 8.
// Of the output above lane 0 holds 3A6870F8 as its first word.
//
// Int4Weights, four tiles: for each tile and lane a word, then for each output a word with the scales of its two groups of
// 32, the first in the lower half. Bits 0 to 3 of each half of a lane's word are register 0 of the fragment, bits 4 to 7
// register 1 and so on. A weight is its four bits less 8, times the group's scale, of which 16 times are kept, in bfloat16
// with five significant bits. The scale is the one with the least sum of squared errors among those that take the weight
// of the largest magnitude to between -11 and -7; it has the opposite sign of that weight. A group with the weights 8, -7,
// 2.2 and zeros has the scale -1, kept as -16 (C180), and the bits 0, F, 6 and 8; lane 0 holds the word ?8?F?6?0.

#include <cstdint>

namespace sfumato::cuda {

/// What weights are kept as: one struct of weights.h each.
enum class WeightFormat { kBfloat16, kBfloat16Terms, kFp8, kFp8Pairs, kInt4 };

struct WeightShape {
  /// Tiles of 16 inner numbers of a load, and its words for a strip.
  int load_tiles;
  int load_words;
  /// Whether outputs have scales.
  bool output_scales;
  /// Inner numbers that Fragments count as one.
  int numbers;
};

WeightShape ShapeOf(WeightFormat format);

/// Magnitudes that FP8 and 4 bits want: a weight must be below the largest one; an output's, or a group's, that are all below
/// the least one are zeros.
constexpr float kLargestWeight = 0x1p100f;
constexpr float kLeastWeight = 0x1p-100f;

/// rows: those of the strip, [kStripOutputs, tiles * kInnerTile], used up; tiles: whole loads. words: the strip's first
/// load; from one to the next are kBlockStrips times its words. scales: [kStripOutputs] where outputs have some. Returns the
/// first row with a weight that is too large or no number; -1 for none.
int PackStrip(WeightFormat format, float* rows, int64_t tiles, uint32_t* words, float* scales);

/// An output alone: its bytes in order, and its scale. False for a weight that is too large or no number.
bool PackFloat8(const float* row, int64_t size, uint8_t* numbers, float* scale);

/// Throws DATA_LOSS for a row of the file's weights that the format has no numbers for.
[[noreturn]] void RefuseWeights(WeightFormat format, int64_t row);

/// The numbers that products multiply with.
void UnpackStrip(WeightFormat format, const uint32_t* words, const float* scales, int64_t tiles, float* rows);

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_WEIGHT_PACKING_H_
