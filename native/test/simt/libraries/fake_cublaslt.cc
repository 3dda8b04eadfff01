// What stands for libcublasLt in tests: its functions for one kind of product, on the host's memory, in double. Everything that
// it is handed is held against the documentation of the library; what the core does not use is an error.
#include "simt/libraries/fake_cublaslt.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "base/number_formats.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace sfumato::test {
namespace {

// Numbers of cublasLt.h, written down apart from those of the core.
enum Status { kOk = 0, kInvalid = 7, kNotSupported = 15 };
enum Type { kF32 = 0, kBf16 = 14, kE4m3 = 28 };
constexpr int kCompute32F = 68;
constexpr uint32_t kTileOf64Columns = 15;   // 64x64
constexpr uint32_t kTileOf128Columns = 20;  // 128x128
constexpr uint32_t kTileOf256Columns = 23;  // 128x256

struct Handle {};
struct Descriptor {
  int32_t transposes_a = 0;
};
struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t leading_dimension;
};
struct Preference {
  uint64_t workspace_bytes = 0;
  uint32_t reductions = 7;
  uint32_t alignments[4] = {256, 256, 256, 256};
};
struct Algorithm {
  uint64_t magic;
  uint64_t proposal;
  uint64_t unused[6];
};
struct Result {
  Algorithm algorithm;
  size_t workspace_bytes;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Algorithm) == 64 && sizeof(Result) == 96);
constexpr uint64_t kMagic = 0x5F0A70;

FakeCublasLt state;
std::set<const void*> alive;

Status Break(const char* rule) {
  if (state.broken == nullptr) state.broken = rule;
  return kInvalid;
}

template <class Object, class... Arguments>
Status Create(Object** object, Arguments... arguments) {
  if (object == nullptr) return Break("an object without a place");
  *object = new Object{arguments...};
  alive.insert(*object);
  ++state.objects;
  return kOk;
}

template <class Object>
Status Destroy(Object* object) {
  if (alive.erase(object) == 0) return Break("an object that is not alive");
  delete object;
  --state.objects;
  return kOk;
}

template <class Value>
Status Set(Value& field, const void* value, size_t bytes) {
  if (value == nullptr || bytes != sizeof(Value)) return Break("an attribute of another size");
  std::memcpy(&field, value, bytes);
  return kOk;
}

int64_t BytesOf(int type) { return type == kF32 ? 4 : type == kBf16 ? 2 : 1; }

uint64_t ColumnsOf(uint32_t tile) {
  if (tile == kTileOf64Columns) return 64;
  return tile == kTileOf128Columns ? 128 : tile == kTileOf256Columns ? 256 : 1;
}

/// A product of rows in bfloat16 or E4M3 by transposed weights of the same type, dense.
Status CheckProduct(const Handle* handle, const Descriptor* descriptor, const Layout* a, const Layout* b,
                    const Layout* c, const Layout* d) {
  for (const void* object :
       {static_cast<const void*>(handle), static_cast<const void*>(descriptor), static_cast<const void*>(a),
        static_cast<const void*>(b), static_cast<const void*>(c), static_cast<const void*>(d)}) {
    if (alive.count(object) == 0) return Break("an object that is not alive");
  }
  if (descriptor->transposes_a != 1) return Break("weights that are not transposed");
  if (a->type != state.type || b->type != state.type || c->type != kF32 || d->type != kF32) return Break("other types");
  if (a->rows != b->rows || a->columns != d->rows || b->columns != d->columns) return Break("shapes of operands");
  if (c->rows != d->rows || c->columns != d->columns) return Break("C of another shape than D");
  for (const Layout* layout : {a, b, c, d}) {
    if (layout->leading_dimension != static_cast<int64_t>(layout->rows)) return Break("a leading dimension");
    if (layout->rows == 0 || layout->columns == 0) return Break("an empty operand");
    if (layout->rows * static_cast<uint64_t>(BytesOf(layout->type)) % 16 != 0)
      return Break("columns that are not aligned");
  }
  return kOk;
}

const FakeAlgorithm* Proposed(const Algorithm* algorithm) {
  if (algorithm == nullptr || algorithm->magic != kMagic || algorithm->proposal >= FakeCublasLt::kMostProposals)
    return nullptr;
  return &state.proposed[algorithm->proposal];
}

Status CheckMemory(const void* memory, uint64_t rows, uint64_t columns, int64_t bytes_per_number) {
  const auto bytes = static_cast<int64_t>(rows * columns) * bytes_per_number;
  if (reinterpret_cast<uintptr_t>(memory) % 16 != 0) return Break("an operand that is not aligned");
  if (state.check_memory != nullptr) state.check_memory(memory, bytes, 1);
  return kOk;
}

float Widen(const void* numbers, uint64_t i, int type) {
  if (type == kE4m3) return FromFloat8(static_cast<const uint8_t*>(numbers)[i]);
  return FromBfloat16(static_cast<const uint16_t*>(numbers)[i]);
}

}  // namespace
}  // namespace sfumato::test

using namespace sfumato::test;

EXPORT FakeCublasLt* fake_cublaslt() { return &state; }

EXPORT size_t cublasLtGetVersion() { return state.version; }

EXPORT int cublasLtCreate(Handle** handle) { return state.create_status != 0 ? state.create_status : Create(handle); }
EXPORT int cublasLtDestroy(Handle* handle) { return Destroy(handle); }

EXPORT int cublasLtMatmulDescCreate(Descriptor** descriptor, int compute_type, int scale_type) {
  if (compute_type != kCompute32F || scale_type != kF32) return Break("another compute or scale type");
  return Create(descriptor);
}
EXPORT int cublasLtMatmulDescDestroy(Descriptor* descriptor) { return Destroy(descriptor); }
EXPORT int cublasLtMatmulDescSetAttribute(Descriptor* descriptor, int attribute, const void* value, size_t bytes) {
  if (alive.count(descriptor) == 0) return Break("an object that is not alive");
  return attribute == 3 ? Set(descriptor->transposes_a, value, bytes) : Break("another attribute of a product");
}

EXPORT int cublasLtMatrixLayoutCreate(Layout** layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  return Create(layout, type, rows, columns, leading);
}
EXPORT int cublasLtMatrixLayoutDestroy(Layout* layout) { return Destroy(layout); }
EXPORT int cublasLtMatrixLayoutSetAttribute(Layout* layout, int attribute, const void* value, size_t bytes) {
  if (alive.count(layout) == 0) return Break("an object that is not alive");
  return attribute == 3 ? Set(layout->columns, value, bytes) : Break("another attribute of a layout");
}

EXPORT int cublasLtMatmulPreferenceCreate(Preference** preference) { return Create(preference); }
EXPORT int cublasLtMatmulPreferenceDestroy(Preference* preference) { return Destroy(preference); }
EXPORT int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value,
                                                size_t bytes) {
  if (alive.count(preference) == 0) return Break("an object that is not alive");
  if (attribute == 1) return Set(preference->workspace_bytes, value, bytes);
  if (attribute == 3) return Set(preference->reductions, value, bytes);
  if (attribute >= 5 && attribute <= 8) return Set(preference->alignments[attribute - 5], value, bytes);
  return Break("another preference");
}

EXPORT int cublasLtMatmulAlgoGetHeuristic(Handle* handle, Descriptor* descriptor, Layout* a, Layout* b, Layout* c,
                                          Layout* d, Preference* preference, int requested, Result* results,
                                          int* returned) {
  ++state.heuristics;
  if (const Status status = CheckProduct(handle, descriptor, a, b, c, d)) return status;
  if (alive.count(preference) == 0) return Break("an object that is not alive");
  if (preference->workspace_bytes != 0) return Break("work space that nobody passes");
  if (preference->reductions != 0) return Break("split sums that are allowed");
  for (const uint32_t alignment : preference->alignments) {
    if (alignment != 16) return Break("another alignment than operands have");
  }
  if (state.heuristic_status != 0) return state.heuristic_status;
  if (requested < 1 || results == nullptr || returned == nullptr) return Break("no place for results");
  if (state.proposals == 0) return kNotSupported;
  *returned = std::min(requested, state.proposals);
  for (int i = 0; i < *returned; ++i) {
    const FakeAlgorithm& proposed = state.proposed[i];
    results[i] = {{kMagic, static_cast<uint64_t>(i), {}}, proposed.workspace_bytes, proposed.state, proposed.waves, {}};
  }
  return kOk;
}

EXPORT int cublasLtMatmulAlgoCheck(Handle* handle, Descriptor* descriptor, Layout* a, Layout* b, Layout* c, Layout* d,
                                   const Algorithm* algorithm, Result* result) {
  if (const Status status = CheckProduct(handle, descriptor, a, b, c, d)) return status;
  if (Proposed(algorithm) == nullptr || result == nullptr) return Break("an algorithm that was not proposed");
  if (state.check_status != 0) return state.check_status;
  *result = {*algorithm, Proposed(algorithm)->workspace_bytes, kOk, 1, {}};
  return kOk;
}

EXPORT int cublasLtMatmulAlgoConfigGetAttribute(const Algorithm* algorithm, int attribute, void* value, size_t bytes,
                                                size_t* written) {
  const FakeAlgorithm* proposed = Proposed(algorithm);
  if (proposed == nullptr || value == nullptr || bytes != 4 || written == nullptr) return Break("an algorithm's query");
  if (attribute < 1 || attribute > 3) return Break("another attribute of an algorithm");
  const void* field = attribute == 1   ? static_cast<const void*>(&proposed->tile)
                      : attribute == 2 ? static_cast<const void*>(&proposed->splits)
                                       : &proposed->reduction;
  std::memcpy(value, field, bytes);
  *written = bytes;
  return kOk;
}

#if defined(FAKE_CUBLASLT_WITHOUT_MATMUL)
#define cublasLtMatmul cublasLtMatmulOfAnotherName
#endif
EXPORT int cublasLtMatmul(Handle* handle, Descriptor* descriptor, const float* alpha, const void* a, Layout* a_layout,
                          const void* b, Layout* b_layout, const float* beta, const float* c, Layout* c_layout,
                          float* d, Layout* d_layout, const Algorithm* algorithm, void* workspace,
                          size_t workspace_bytes, void* stream) {
  if (const Status status = CheckProduct(handle, descriptor, a_layout, b_layout, c_layout, d_layout)) return status;
  const FakeAlgorithm* proposed = Proposed(algorithm);
  if (proposed == nullptr) return Break("an algorithm that was not proposed");
  if (proposed->workspace_bytes != 0 || proposed->splits > 1 || proposed->reduction != 0 || proposed->state != 0)
    return Break("an algorithm that splits sums");
  if (alpha == nullptr || *alpha != 1 || beta == nullptr || (*beta != 0 && *beta != 1)) return Break("other factors");
  if (workspace != nullptr || workspace_bytes != 0 || stream != nullptr) return Break("work space or a stream");
  if (c != d) return Break("C elsewhere than D");
  const uint64_t rows = b_layout->columns;
  const uint64_t outputs = a_layout->columns;
  const uint64_t inner = a_layout->rows;
  if (rows % ColumnsOf(proposed->tile) != 0) return Break("rows that fill no tile");
  if (const Status status = CheckMemory(a, inner, outputs, BytesOf(a_layout->type))) return status;
  if (const Status status = CheckMemory(b, inner, rows, BytesOf(b_layout->type))) return status;
  if (const Status status = CheckMemory(d, outputs, rows, 4)) return status;
  if (state.multiply_status != 0) return state.multiply_status;
  ++state.products;
  if (*beta != 0) ++state.adding_products;
  state.last_rows = static_cast<int64_t>(rows);
  state.last_algorithm = *proposed;
  std::vector<float> weights(inner);
  std::vector<float> numbers(inner * rows);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = Widen(b, i, b_layout->type);
  for (uint64_t output = 0; output < outputs; ++output) {
    for (uint64_t k = 0; k < inner; ++k) weights[k] = Widen(a, output * inner + k, a_layout->type);
    for (uint64_t row = 0; row < rows; ++row) {
      const float* from = numbers.data() + row * inner;
      float& target = d[row * outputs + output];
      if (state.rows_matter || (state.adds_first && *beta != 0)) {
        float sum = state.adds_first && *beta != 0 ? target : 0.0f;
        for (uint64_t k = 0; k < inner; ++k) sum += weights[(k + rows) % inner] * from[(k + rows) % inner];
        target = sum;
        continue;
      }
      double sum = 0;
      for (uint64_t k = 0; k < inner; ++k) sum += double{weights[k]} * from[k];
      target = *beta == 0 ? static_cast<float>(sum) : static_cast<float>(sum) + target;
    }
  }
  return kOk;
}
