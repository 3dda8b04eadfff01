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
#include "io/safetensors.h"
#include "ops/matmul.h"

namespace sfumato::cuda {

/// Weights as cuBLASLt takes them: bfloat16 numbers, row after row.
class DenseMatrix : public PackedMatrix {
 public:
  /// Matrices of the same inner size, stacked; of gated weights the gates and after them their partners.
  DenseMatrix(Device& device, HostStaging& staging, ThreadPool& pool, const DenseProduct& product,
              const std::vector<TensorView>& parts, bool gated);

  int64_t bytes() const override { return numbers_.bytes(); }
  const DenseProduct& product() const { return product_; }
  const uint16_t* data() const { return numbers_.data(); }

 private:
  const DenseProduct& product_;
  DeviceArray<uint16_t> numbers_;
};

/// Products with DenseMatrix, with what cuBLASLt leaves to do, and their work space.
class DenseStage {
 public:
  DenseStage(Device& device, std::shared_ptr<DenseProducts> products)
      : device_(device), products_(std::move(products)) {}

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
  static constexpr int64_t kWorkRows = 1024;

  int64_t WorkRows() const { return std::min(kWorkRows, products_->most_rows()); }

  Device& device_;
  const std::shared_ptr<DenseProducts> products_;
  int64_t matrices_ = 0;
  int64_t widest_inner_ = 0;
  int64_t widest_outputs_ = 0;
  DeviceArray<uint16_t> rows_;  // [WorkRows, widest inner]
  DeviceArray<float> sums_;     // [WorkRows, widest outputs]
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_DENSE_STAGE_H_
