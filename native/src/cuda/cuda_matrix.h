#ifndef SFUMATO_CUDA_CUDA_MATRIX_H_
#define SFUMATO_CUDA_CUDA_MATRIX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "cuda/device.h"
#include "cuda/host_staging.h"
#include "cuda/weight_packing.h"
#include "cuda/weights.h"
#include "io/safetensors.h"
#include "ops/matmul.h"

namespace sfumato::cuda {

/// Number formats of the products; see ProductTile.
enum class Precision {
  /// Inputs and weights rounded to bfloat16, sums in float.
  kBfloat16,
  /// Inputs and weights as sums of three bfloat16 numbers, or weights as they are where the file has them so.
  kFloat32,
  /// Inputs rounded to bfloat16, weights to Fp8Weights or Int4Weights, sums in float.
  kFp8,
  kInt4,
  /// Inputs rounded to E4M3 as well, with a scale for each row: Fp8PairWeights.
  kFp8Inputs,
};

/// Weights on the device as Fragments.
class CudaMatrix : public PackedMatrix {
 public:
  /// Matrices of the same inner size, stacked; or gates and their partners, interleaved strip by strip. Throws DATA_LOSS for
  /// weights that FP8 or 4 bits have no number for.
  CudaMatrix(Device& device, HostStaging& staging, ThreadPool& pool, Precision precision,
             const std::vector<TensorView>& parts, bool gated);

  int64_t bytes() const override { return words_.bytes() + scales_.bytes(); }
  const Fragments& fragments() const { return fragments_; }
  Precision precision() const { return precision_; }
  WeightFormat format() const { return format_; }

 private:
  Precision precision_;
  WeightFormat format_;
  DeviceArray<uint32_t> words_;
  DeviceArray<float> scales_;
  Fragments fragments_;
};

/// The weights of several groups of rows.
class CudaMatrixGroup : public MatrixGroup {
 public:
  CudaMatrixGroup(Device& device, const std::vector<const PackedMatrix*>& matrices);

  Precision precision() const { return precision_; }
  int64_t groups() const { return table_.size(); }
  const Fragments& first() const { return first_; }
  WeightFormat format() const { return format_; }
  const Fragments* table() const { return table_.data(); }
  int64_t bytes() const { return table_.bytes(); }

 private:
  Precision precision_;
  WeightFormat format_;
  Fragments first_;
  DeviceArray<Fragments> table_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CUDA_MATRIX_H_
