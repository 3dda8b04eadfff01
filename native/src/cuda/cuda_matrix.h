#ifndef SFUMATO_CUDA_CUDA_MATRIX_H_
#define SFUMATO_CUDA_CUDA_MATRIX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "cuda/device.h"
#include "cuda/host_staging.h"
#include "cuda/product_tile.h"
#include "io/safetensors.h"
#include "ops/matmul.h"

namespace sfumato::cuda {

/// Number formats of the products; see ProductTile.
enum class Precision {
  /// Inputs and weights rounded to bfloat16, sums in float.
  kBfloat16,
  /// Inputs and weights as sums of three bfloat16 numbers, or weights as they are where the file has them so.
  kFloat32,
};

/// Weights on the device as Fragments.
class CudaMatrix : public PackedMatrix {
 public:
  /// Matrices of the same inner size, stacked; or gates and their partners, interleaved strip by strip.
  CudaMatrix(Device& device, HostStaging& staging, ThreadPool& pool, Precision precision,
             const std::vector<TensorView>& parts, bool gated);

  int64_t bytes() const override { return words_.bytes(); }
  const Fragments& fragments() const { return fragments_; }
  Precision precision() const { return precision_; }
  int terms() const { return terms_; }

 private:
  Precision precision_;
  int terms_;
  DeviceArray<Word4> words_;
  Fragments fragments_;
};

/// The weights of several groups of rows.
class CudaMatrixGroup : public MatrixGroup {
 public:
  CudaMatrixGroup(Device& device, const std::vector<const PackedMatrix*>& matrices);

  Precision precision() const { return precision_; }
  int64_t groups() const { return table_.size(); }
  const Fragments& first() const { return first_; }
  int terms() const { return terms_; }
  const Fragments* table() const { return table_.data(); }
  int64_t bytes() const { return table_.bytes(); }

 private:
  Precision precision_;
  int terms_;
  Fragments first_;
  DeviceArray<Fragments> table_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CUDA_MATRIX_H_
