#ifndef SFUMATO_CUDA_DENSE_PRODUCTS_H_
#define SFUMATO_CUDA_DENSE_PRODUCTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cuda/cublas_lt.h"
#include "cuda/device.h"

namespace sfumato::cuda {

class DenseProducts;

/// Numbers of both operands: bfloat16, or E4M3 without scales.
enum class DenseType { kBfloat16, kFloat8 };

/// How cuBLASLt multiplies rows with weights of one shape, whatever the number of rows.
class DenseProduct {
 public:
  DenseProduct(DenseProducts& products, int64_t outputs, int64_t inner);

  DenseProduct(const DenseProduct&) = delete;
  DenseProduct& operator=(const DenseProduct&) = delete;

  int64_t outputs() const { return outputs_; }
  int64_t inner() const { return inner_; }
  /// Rows come in multiples of it.
  int64_t row_tile() const { return row_tile_; }

  /// sums [rows, outputs] = input [rows, inner] times weights [outputs, inner] transposed, or added to what is there; all at
  /// multiples of kOperandAlignment. rows: a multiple of the tile, at most DenseProducts::most_rows.
  void Start(Device& device, const void* weights, const void* input, int64_t rows, bool add, float* sums) const;

 private:
  friend class DenseProducts;

  /// The first of the library's proposals that the rules of DenseProducts allow; false where there is none.
  bool FindAlgorithm();
  bool Allows(const lt::HeuristicResult& proposal);
  bool TakesAllRows(int64_t most_rows);
  void SetRows(int64_t rows) const;
  static void Run(const void* arguments, void* queue);

  DenseProducts& products_;
  const CublasLt& library_;
  const int64_t outputs_;
  const int64_t inner_;
  int64_t row_tile_ = 0;
  lt::Algorithm algorithm_ = {};
  lt::Owned<lt::Descriptor> descriptor_;
  // Column-major, so everything is transposed: outputs are rows, rows are columns.
  lt::Owned<lt::Layout> weights_;
  lt::Owned<lt::Layout> input_;
  lt::Owned<lt::Layout> sums_;
};

/// Which products go through cuBLASLt on a device: a choice for each shape of weights, made once, by rules that make a row's
/// bits independent of the rows beside it; docs/decisions/0064 has them. Confined to the engine's thread.
class DenseProducts {
 public:
  /// The library is asked what it would take for so many rows. Tiles of rows divide it.
  static constexpr int64_t kAskedRows = 256;
  /// Rows that it is tried with.
  static constexpr int64_t kTriedRows = 2 * kAskedRows;
  /// What the addresses of operands are multiples of, in bytes.
  static constexpr int64_t kOperandAlignment = 16;
  /// The least part of the GPU that kAskedRows must occupy; narrower products are left to the kernels that cut rows finer.
  static constexpr float kLeastWaves = 0.5f;

  /// Throws FAILED_PRECONDITION where the library does not work on the device.
  DenseProducts(std::shared_ptr<const CublasLt> library, Device& device, int64_t max_rows,
                DenseType type = DenseType::kBfloat16);

  DenseProducts(const DenseProducts&) = delete;
  DenseProducts& operator=(const DenseProducts&) = delete;

  /// Null for weights [outputs, inner] that own kernels take, as all whose rows don't begin at aligned addresses. Where they are of a new shape, the library is asked and tried on
  /// the device, which must have memory for them.
  const DenseProduct* Choose(int64_t outputs, int64_t inner);

  /// The limit, filled up to a tile of any product.
  int64_t most_rows() const { return (max_rows_ + kAskedRows - 1) / kAskedRows * kAskedRows; }
  const CublasLt& library() const { return *library_; }
  DenseType type() const { return type_; }
  int64_t bytes_per_number() const { return type_ == DenseType::kFloat8 ? 1 : 2; }

 private:
  friend class DenseProduct;

  /// Whether rows come out the same, bit for bit, alone and among others, and added to what is there.
  bool RowsStandAlone(const DenseProduct& product);

  std::shared_ptr<const CublasLt> library_;
  Device& device_;
  const int64_t max_rows_;
  const DenseType type_;
  lt::Owned<lt::Handle> handle_;
  std::map<std::pair<int64_t, int64_t>, std::unique_ptr<const DenseProduct>> products_;
};

/// By the library that the environment says, for backends that round to a type and take many rows; null where there is none.
/// Errors as LoadCublasLt and DenseProducts.
std::shared_ptr<DenseProducts> FindDenseProducts(Device& device, std::optional<DenseType> type, int64_t max_rows);

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_DENSE_PRODUCTS_H_
