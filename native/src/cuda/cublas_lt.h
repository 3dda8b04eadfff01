#ifndef SFUMATO_CUDA_CUBLAS_LT_H_
#define SFUMATO_CUDA_CUBLAS_LT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace sfumato::cuda {

/// The part of cuBLASLt's C interface that is used here, whose headers need not be there: names, types and numbers as NVIDIA's
/// documentation of the library has them ("Using the cublasLt API"). They are the same in its major versions 12 and 13.
namespace lt {

/// cublasStatus_t; any other is an error.
constexpr int kSuccess = 0;
/// cudaDataType_t
constexpr int kFloat32 = 0;    // CUDA_R_32F
constexpr int kBfloat16 = 14;  // CUDA_R_16BF
constexpr int kFloat8 = 28;    // CUDA_R_8F_E4M3
/// cublasComputeType_t
constexpr int kComputeFloat32 = 68;  // CUBLAS_COMPUTE_32F
/// cublasOperation_t
constexpr int32_t kTransposed = 1;  // CUBLAS_OP_T; the default is CUBLAS_OP_N
/// cublasLtMatmulDescAttributes_t
constexpr int kDescriptorTransposesA = 3;  // CUBLASLT_MATMUL_DESC_TRANSA, int32_t
/// cublasLtMatrixLayoutAttribute_t
constexpr int kLayoutColumns = 3;  // CUBLASLT_MATRIX_LAYOUT_COLS, uint64_t
/// cublasLtMatmulPreferenceAttributes_t
constexpr int kPreferWorkspaceBytes = 1;           // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t
constexpr int kPreferReductionSchemes = 3;         // CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t
constexpr int kPreferAlignments[] = {5, 6, 7, 8};  // CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_{A,B,C,D}_BYTES, uint32_t
/// cublasLtReductionScheme_t
constexpr uint32_t kNoReduction = 0;  // CUBLASLT_REDUCTION_SCHEME_NONE
/// cublasLtMatmulAlgoConfigAttributes_t
constexpr int kAlgorithmTile = 1;             // CUBLASLT_ALGO_CONFIG_TILE_ID, uint32_t
constexpr int kAlgorithmSplits = 2;           // CUBLASLT_ALGO_CONFIG_SPLITK_NUM, int32_t
constexpr int kAlgorithmReductionScheme = 3;  // CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, uint32_t

/// cublasLtMatmulAlgo_t
struct Algorithm {
  uint64_t data[8];
};
/// cublasLtMatmulHeuristicResult_t
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace_bytes;
  int state;
  /// 1 where the product occupies the GPU once.
  float waves;
  int reserved[4];
};

// Handles of the library.
using Handle = struct HandleData*;
using Descriptor = struct DescriptorData*;
using Layout = struct LayoutData*;
using Preference = struct PreferenceData*;
/// With the function that destroys it.
template <class Object>
using Owned = std::unique_ptr<std::remove_pointer_t<Object>, int (*)(Object)>;

}  // namespace lt

/// The library, loaded.
class CublasLt {
 public:
  /// Throws FAILED_PRECONDITION for a file that can't be loaded, lacks a function or is of another major version.
  explicit CublasLt(const std::string& file);
  ~CublasLt();

  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  /// E.g. "13.1.1".
  const std::string& version() const { return version_; }

  int (*create)(lt::Handle*);
  int (*destroy)(lt::Handle);
  int (*create_descriptor)(lt::Descriptor*, int compute_type, int scale_type);
  int (*destroy_descriptor)(lt::Descriptor);
  int (*set_descriptor)(lt::Descriptor, int attribute, const void* value, size_t bytes);
  int (*create_layout)(lt::Layout*, int type, uint64_t rows, uint64_t columns, int64_t leading_dimension);
  int (*destroy_layout)(lt::Layout);
  int (*set_layout)(lt::Layout, int attribute, const void* value, size_t bytes);
  int (*create_preference)(lt::Preference*);
  int (*destroy_preference)(lt::Preference);
  int (*set_preference)(lt::Preference, int attribute, const void* value, size_t bytes);
  int (*find_algorithms)(lt::Handle, lt::Descriptor, lt::Layout a, lt::Layout b, lt::Layout c, lt::Layout d,
                         lt::Preference, int requested, lt::HeuristicResult* results, int* returned);
  int (*check_algorithm)(lt::Handle, lt::Descriptor, lt::Layout a, lt::Layout b, lt::Layout c, lt::Layout d,
                         const lt::Algorithm*, lt::HeuristicResult*);
  int (*get_algorithm)(const lt::Algorithm*, int attribute, void* value, size_t bytes, size_t* written);
  /// D = alpha * A * B + beta * C, all in column-major order.
  int (*multiply)(lt::Handle, lt::Descriptor, const void* alpha, const void* a, lt::Layout, const void* b, lt::Layout,
                  const void* beta, const void* c, lt::Layout, void* d, lt::Layout, const lt::Algorithm*,
                  void* workspace, size_t workspace_bytes, void* stream);

 private:
  template <class Function>
  void Find(Function& function, const char* name);

  const std::string file_;
  std::unique_ptr<void, int (*)(void*)> library_;
  std::string version_;
};

/// The names and files under which the library is looked for where none is configured: those of the loader's path first.
std::vector<std::string> CublasLtPlaces();

/// The library as the environment says; null where it is switched off, or not found. SFUMATO_CUBLASLT is "off" or "on", which
/// wants it; where it says nothing the library is used if it is found. SFUMATO_CUBLASLT_LIBRARY is the one file to take. Throws
/// FAILED_PRECONDITION for one that was found and can't be used, or is wanted and isn't there; INVALID_ARGUMENT for other
/// values.
std::shared_ptr<const CublasLt> LoadCublasLt(const std::vector<std::string>& places = CublasLtPlaces());

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CUBLAS_LT_H_
