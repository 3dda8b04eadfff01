#ifndef SFUMATO_CUDA_DENSE_STAGE_H_
#define SFUMATO_CUDA_DENSE_STAGE_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "cuda/dense_products.h"
#include "cuda/device.h"
#include "cuda/host_staging.h"
#include "cuda/quantised_rows.h"
#include "io/safetensors.h"
#include "ops/matmul.h"

namespace sfumato::cuda {

/// Weights as cuBLASLt takes them, row after row: bfloat16 numbers, or E4M3 numbers as PackFloat8 writes them.
class DenseMatrix : public PackedMatrix {
 public:
  /// Matrices of the same inner size, stacked; of gated weights the gates and after them their partners. Throws DATA_LOSS for
  /// weights that E4M3 has no number for.
  DenseMatrix(Device& device, HostStaging& staging, ThreadPool& pool, const DenseProduct& product, DenseType type,
              const std::vector<TensorView>& parts, bool gated);

  int64_t bytes() const override { return numbers_.bytes() + scales_.bytes(); }
  const DenseProduct& product() const { return product_; }
  const uint8_t* data() const { return numbers_.data(); }
  const float* scales() const { return scales_.data(); }  // [outputs of the product]; null for bfloat16

 private:
  const DenseProduct& product_;
  DeviceArray<uint8_t> numbers_;
  DeviceArray<float> scales_;
};

/// Products with DenseMatrix, with what cuBLASLt leaves to do, and their work space.
class DenseStage {
 public:
  /// quantised: the work space of inputs in E4M3.
  DenseStage(Device& device, std::shared_ptr<DenseProducts> products, QuantisedRows& quantised)
      : device_(device), products_(std::move(products)), quantised_(quantised) {}

  /// Null where own kernels take such weights.
  std::unique_ptr<DenseMatrix> Pack(HostStaging& staging, ThreadPool& pool, const std::vector<TensorView>& parts,
                                    bool gated);
  /// Allocates what the matrices packed so far need.
  void Reserve();
  void Run(const MatmulArguments& arguments);

  int64_t bytes() const { return rows_.bytes() + sums_.bytes(); }
  /// E.g. "3 matrices by cuBLASLt 13.1.1".
  std::string Name() const;
  const std::shared_ptr<DenseProducts>& products() const { return products_; }

 private:
  /// Rows that go through the work space at once.
  int64_t WorkRows() const { return std::min(quantised_.rows(), products_->most_rows()); }
  bool InPlace(const MatmulArguments& arguments) const;

  Device& device_;
  const std::shared_ptr<DenseProducts> products_;
  QuantisedRows& quantised_;
  int64_t matrices_ = 0;
  int64_t widest_inner_ = 0;
  int64_t widest_outputs_ = 0;
  DeviceArray<uint16_t> rows_;  // [WorkRows, widest inner], for bfloat16
  DeviceArray<float> sums_;     // [WorkRows, widest outputs]
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_DENSE_STAGE_H_
