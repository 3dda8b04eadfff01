#ifndef SFUMATO_TEST_SIMT_LIBRARIES_FAKE_CUBLASLT_H_
#define SFUMATO_TEST_SIMT_LIBRARIES_FAKE_CUBLASLT_H_

#include <cstddef>
#include <cstdint>

namespace sfumato::test {

/// An algorithm that the library proposes.
struct FakeAlgorithm {
  uint32_t tile = 15;  // 64x64
  int32_t splits = 1;
  uint32_t reduction = 0;
  uint64_t workspace_bytes = 0;
  int state = 0;
  float waves = 1;
};

/// How the library behaves, and what was done with it.
struct FakeCublasLt {
  static constexpr int kMostProposals = 8;

  size_t version = 130101;
  int create_status = 0;
  int heuristic_status = 0;
  int check_status = 0;
  int multiply_status = 0;
  /// The operands' cudaDataType_t that is expected: bfloat16, or 28 for E4M3.
  int type = 14;
  /// 0 for none.
  int proposals = 1;
  FakeAlgorithm proposed[kMostProposals];
  /// Faults: sums are of another order where there are other numbers of rows; what is added to comes first.
  bool rows_matter = false;
  bool adds_first = false;
  /// Throws unless the memory is the device's.
  void (*check_memory)(const void* memory, int64_t bytes, int64_t alignment) = nullptr;

  int64_t objects = 0;  // created and not destroyed
  int64_t heuristics = 0;
  int64_t products = 0;
  int64_t adding_products = 0;
  int64_t last_rows = 0;
  FakeAlgorithm last_algorithm;
  /// The first rule that a call broke; such calls return CUBLAS_STATUS_INVALID_VALUE.
  const char* broken = nullptr;
};

}  // namespace sfumato::test

extern "C" sfumato::test::FakeCublasLt* fake_cublaslt();

#endif  // SFUMATO_TEST_SIMT_LIBRARIES_FAKE_CUBLASLT_H_
