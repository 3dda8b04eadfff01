#ifndef SFUMATO_CUDA_PRECISION_TILES_H_
#define SFUMATO_CUDA_PRECISION_TILES_H_

#include <type_traits>

#include "cuda/cuda_matrix.h"

namespace sfumato::cuda {

/// Tiles of 8 rows that a product's block takes where there are many rows; more do not fit its registers.
constexpr int RowTilesOf(Precision precision) { return precision == Precision::kFloat32 ? 4 : 8; }

/// Calls body with the numbers of row tiles and input terms, as types, and the weights' format. rounded: whether the input is,
/// so that one term of it is all.
template <class Body>
void ForFormat(Precision precision, WeightFormat format, bool rounded, const Body& body) {
  using One = std::integral_constant<int, 1>;
  using Three = std::integral_constant<int, 3>;
  using RoundedTiles = std::integral_constant<int, RowTilesOf(Precision::kBfloat16)>;
  using ExactTiles = std::integral_constant<int, RowTilesOf(Precision::kFloat32)>;
  if (format == WeightFormat::kFp8) {
    body(RoundedTiles{}, One{}, Fp8Weights{});
  } else if (format == WeightFormat::kInt4) {
    body(RoundedTiles{}, One{}, Int4Weights{});
  } else if (precision == Precision::kBfloat16 || (rounded && format == WeightFormat::kBfloat16)) {
    body(RoundedTiles{}, One{}, Bfloat16Weights<1>{});
  } else if (format == WeightFormat::kBfloat16) {
    body(ExactTiles{}, Three{}, Bfloat16Weights<1>{});
  } else {
    body(ExactTiles{}, Three{}, Bfloat16Weights<3>{});
  }
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_PRECISION_TILES_H_
