#include "cuda/dense_products.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/number_formats.h"

namespace sfumato::cuda {
namespace {

/// What is asked for; the best come first.
constexpr int kProposals = 32;

/// Columns of the tiles that cublasLtMatmulTile_t numbers from 0 to 35 where they divide kAskedRows, else 0. Newer tiles are
/// left out: their numbers need not be the same in all versions.
constexpr std::array<uint16_t, 36> kTileColumns = {
    0,   8,   16,  8,  32,  16,   // none, 8x8, 8x16, 16x8, 8x32, 16x16
    8,   64,  32,  16, 8,   32,   // 32x8, 8x64, 16x32, 32x16, 64x8, 32x32
    64,  32,  128, 64, 32,  128,  // 32x64, 64x32, 32x128, 64x64, 128x32, 64x128
    64,  256, 128, 64, 0,   256,  // 128x64, 64x256, 128x128, 256x64, 64x512, 128x256
    128, 64,  0,   64, 128, 0,    // 256x128, 512x64, 64x96, 96x64, 96x128, 128x160
    128, 128, 0,   0,  256, 32,   // 160x128, 192x128, 128x192, 128x96, 32x256, 256x32
};

/// The arguments of one product, without gaps, so that equal ones are equal bytes.
struct ProductCall {
  const DenseProduct* product;
  const void* weights;
  const void* input;
  int64_t rows;
  int64_t add;
  float* sums;
};

/// For what was asked with arguments that are known to be right.
void Check(const char* what, int status) {
  if (status != lt::kSuccess)
    Fail(SFUMATO_INTERNAL, "cuBLASLt", std::string(what) + " with status " + std::to_string(status),
         "success, or SFUMATO_CUBLASLT=off");
}

template <class Value>
Value Get(const CublasLt& library, const lt::Algorithm& algorithm, int attribute) {
  Value value = {};
  size_t written = 0;
  Check("cublasLtMatmulAlgoConfigGetAttribute",
        library.get_algorithm(&algorithm, attribute, &value, sizeof(value), &written));
  return value;
}

lt::Owned<lt::Layout> MakeLayout(const CublasLt& library, int type, int64_t rows, int64_t columns) {
  lt::Layout layout = nullptr;
  Check("cublasLtMatrixLayoutCreate",
        library.create_layout(&layout, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), rows));
  return {layout, library.destroy_layout};
}

int TypeOf(const DenseProducts& products) {
  return products.type() == DenseType::kFloat8 ? lt::kFloat8 : lt::kBfloat16;
}

lt::Owned<lt::Descriptor> MakeDescriptor(const CublasLt& library) {
  lt::Descriptor descriptor = nullptr;
  Check("cublasLtMatmulDescCreate", library.create_descriptor(&descriptor, lt::kComputeFloat32, lt::kFloat32));
  lt::Owned<lt::Descriptor> owned(descriptor, library.destroy_descriptor);
  Check("cublasLtMatmulDescSetAttribute",
        library.set_descriptor(descriptor, lt::kDescriptorTransposesA, &lt::kTransposed, sizeof(lt::kTransposed)));
  return owned;
}

/// What the library should propose: nothing that sums parts of the inner dimension apart from each other. Without work space
/// there is no place for such parts either.
lt::Owned<lt::Preference> MakePreference(const CublasLt& library) {
  lt::Preference preference = nullptr;
  Check("cublasLtMatmulPreferenceCreate", library.create_preference(&preference));
  lt::Owned<lt::Preference> owned(preference, library.destroy_preference);
  const auto set = [&](int attribute, auto value) {
    Check("cublasLtMatmulPreferenceSetAttribute", library.set_preference(preference, attribute, &value, sizeof(value)));
  };
  set(lt::kPreferWorkspaceBytes, uint64_t{0});
  set(lt::kPreferReductionSchemes, lt::kNoReduction);
  for (const int attribute : lt::kPreferAlignments)
    set(attribute, static_cast<uint32_t>(DenseProducts::kOperandAlignment));
  return owned;
}

}  // namespace

DenseProduct::DenseProduct(DenseProducts& products, int64_t outputs, int64_t inner)
    : products_(products),
      library_(products.library()),
      outputs_(outputs),
      inner_(inner),
      descriptor_(MakeDescriptor(library_)),
      weights_(MakeLayout(library_, TypeOf(products), inner, outputs)),
      input_(MakeLayout(library_, TypeOf(products), inner, DenseProducts::kAskedRows)),
      sums_(MakeLayout(library_, lt::kFloat32, outputs, DenseProducts::kAskedRows)) {}

bool DenseProduct::FindAlgorithm() {
  const lt::Owned<lt::Preference> preference = MakePreference(library_);
  std::array<lt::HeuristicResult, kProposals> proposals = {};
  int count = 0;
  // It also fails where there is no algorithm for the shape.
  const int status =
      library_.find_algorithms(products_.handle_.get(), descriptor_.get(), weights_.get(), input_.get(), sums_.get(),
                               sums_.get(), preference.get(), kProposals, proposals.data(), &count);
  if (status != lt::kSuccess) return false;
  return std::any_of(proposals.begin(), proposals.begin() + std::clamp(count, 0, kProposals),
                     [this](const lt::HeuristicResult& proposal) { return Allows(proposal); });
}

bool DenseProduct::Allows(const lt::HeuristicResult& proposal) {
  if (proposal.state != lt::kSuccess || proposal.workspace_bytes != 0 || proposal.waves < DenseProducts::kLeastWaves)
    return false;
  const auto tile = Get<uint32_t>(library_, proposal.algorithm, lt::kAlgorithmTile);
  if (tile >= kTileColumns.size() || kTileColumns[tile] == 0) return false;
  if (Get<int32_t>(library_, proposal.algorithm, lt::kAlgorithmSplits) > 1) return false;
  if (Get<uint32_t>(library_, proposal.algorithm, lt::kAlgorithmReductionScheme) != lt::kNoReduction) return false;
  algorithm_ = proposal.algorithm;
  row_tile_ = kTileColumns[tile];
  return TakesAllRows(std::max(products_.most_rows(), DenseProducts::kTriedRows));
}

bool DenseProduct::TakesAllRows(int64_t most_rows) {
  for (int64_t rows = row_tile_; rows <= most_rows; rows += row_tile_) {
    SetRows(rows);
    lt::HeuristicResult result = {};
    const int status = library_.check_algorithm(products_.handle_.get(), descriptor_.get(), weights_.get(),
                                                input_.get(), sums_.get(), sums_.get(), &algorithm_, &result);
    if (status != lt::kSuccess || result.workspace_bytes != 0) return false;
  }
  return true;
}

void DenseProduct::SetRows(int64_t rows) const {
  const auto columns = static_cast<uint64_t>(rows);
  for (const lt::Layout layout : {input_.get(), sums_.get()})
    Check("cublasLtMatrixLayoutSetAttribute",
          library_.set_layout(layout, lt::kLayoutColumns, &columns, sizeof(columns)));
}

void DenseProduct::Start(Device& device, const void* weights, const void* input, int64_t rows, bool add,
                         float* sums) const {
  const ProductCall call = {this, weights, input, rows, add ? 1 : 0, sums};
  device.Launch({"cublaslt_product", nullptr, &call, sizeof(call), 0, 0, {}, &DenseProduct::Run});
}

void DenseProduct::Run(const void* arguments, void* queue) {
  const auto& call = *static_cast<const ProductCall*>(arguments);
  const DenseProduct& product = *call.product;
  product.SetRows(call.rows);
  const float alpha = 1;
  const float beta = call.add != 0 ? 1 : 0;
  Check("cublasLtMatmul",
        product.library_.multiply(product.products_.handle_.get(), product.descriptor_.get(), &alpha, call.weights,
                                  product.weights_.get(), call.input, product.input_.get(), &beta, call.sums,
                                  product.sums_.get(), call.sums, product.sums_.get(), &product.algorithm_, nullptr, 0,
                                  queue));
}

DenseProducts::DenseProducts(std::shared_ptr<const CublasLt> library, Device& device, int64_t max_rows, DenseType type)
    : library_(std::move(library)),
      device_(device),
      max_rows_(max_rows),
      type_(type),
      handle_(nullptr, library_->destroy) {
  lt::Handle handle = nullptr;
  const int status = library_->create(&handle);
  if (status != lt::kSuccess) {
    Fail(SFUMATO_FAILED_PRECONDITION, "cuBLASLt " + library_->version(),
         "cublasLtCreate with status " + std::to_string(status) + " on " + device.Name(),
         "success, which needs a driver of the library's age, or SFUMATO_CUBLASLT=off");
  }
  handle_.reset(handle);
}

const DenseProduct* DenseProducts::Choose(int64_t outputs, int64_t inner) {
  const int64_t numbers = kOperandAlignment / bytes_per_number();
  if (outputs % numbers != 0 || inner % numbers != 0) return nullptr;
  const auto [place, is_new] = products_.try_emplace({outputs, inner});
  if (is_new) {
    auto product = std::make_unique<DenseProduct>(*this, outputs, inner);
    if (product->FindAlgorithm() && RowsStandAlone(*product)) place->second = std::move(product);
  }
  return place->second.get();
}

bool DenseProducts::RowsStandAlone(const DenseProduct& product) {
  const int64_t tile = product.row_tile();
  const int64_t outputs = product.outputs();
  const int64_t inner = product.inner();
  const int64_t row_bytes = inner * bytes_per_number();
  const DeviceArray<uint8_t> weights(device_, outputs * row_bytes);
  const DeviceArray<uint8_t> input(device_, kTriedRows * row_bytes);
  const DeviceArray<uint8_t> lone(device_, tile * row_bytes);
  const DeviceArray<float> sums(device_, kTriedRows * outputs);
  // The same numbers over and over, of a count that has no factor with any shape.
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<uint8_t> numbers;
  for (int i = 0; i < 65537; ++i) {
    const float number = normal(generator);
    if (type_ == DenseType::kFloat8) {
      numbers.push_back(ToFloat8(number));
    } else {
      const uint16_t bits = ToBfloat16(number);
      numbers.insert(numbers.end(), {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8)});
    }
  }
  const auto fill = [&](const DeviceArray<uint8_t>& array) {
    for (int64_t first = 0; first < array.size(); first += static_cast<int64_t>(numbers.size())) {
      const int64_t count = std::min<int64_t>(array.size() - first, static_cast<int64_t>(numbers.size()));
      device_.Upload(array.data() + first, numbers.data(), count);
    }
  };
  fill(weights);
  fill(input);
  const auto multiply = [&](const uint8_t* rows, int64_t count, bool add) {
    product.Start(device_, weights.data(), rows, count, add, sums.data());
    std::vector<float> values(static_cast<size_t>(count * outputs));
    device_.Download(values.data(), sums.data(), count * outputs * static_cast<int64_t>(sizeof(float)));
    return values;
  };
  const std::vector<float> together = multiply(input.data(), kTriedRows, false);
  const std::vector<float> twice = multiply(input.data(), kTriedRows, true);
  const std::vector<float> thrice = multiply(input.data(), kTriedRows, true);
  for (size_t i = 0; i < together.size(); ++i) {
    if (twice[i] != together[i] + together[i] || thrice[i] != twice[i] + together[i]) return false;
  }
  const auto same = [&](const std::vector<float>& values, int64_t row, int64_t count) {
    return std::memcmp(values.data(), together.data() + row * outputs,
                       static_cast<size_t>(count * outputs) * sizeof(float)) == 0;
  };
  // The first and the last tile alone, all but the first, and a row in a tile of zeros at another place.
  for (const auto& [row, count] :
       {std::pair<int64_t, int64_t>{0, tile}, {kTriedRows - tile, tile}, {tile, kTriedRows - tile}}) {
    if (!same(multiply(input.data() + row * row_bytes, count, false), row, count)) return false;
  }
  device_.Copy(lone.data(), input.data() + (kTriedRows - 1) * row_bytes, row_bytes);
  return same(multiply(lone.data(), tile, false), kTriedRows - 1, 1);
}

std::shared_ptr<DenseProducts> FindDenseProducts(Device& device, std::optional<DenseType> type, int64_t max_rows) {
  if (!type || max_rows < DenseProducts::kAskedRows) return nullptr;
  std::shared_ptr<const CublasLt> library = LoadCublasLt();
  return library == nullptr ? nullptr : std::make_shared<DenseProducts>(std::move(library), device, max_rows, *type);
}

}  // namespace sfumato::cuda
