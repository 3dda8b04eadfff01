#include "cuda/cuda_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "cuda/attention_kernel.h"
#include "cuda/planning_device.h"
#include "cuda/precision_tiles.h"
#include "cuda/product_kernel.h"
#include "cuda/router_kernels.h"
#include "cuda/row_kernels.h"

namespace sfumato::cuda {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
/// What the driver takes for code, stacks and graphs besides what is allocated.
constexpr int64_t kDriverBytes = 256 * kMebibyte;
constexpr int64_t kMaxHeadDim = 512;
/// Rows of the tiles of ProductKernel.
constexpr int64_t kFewRows = 16;
constexpr int64_t kSomeRows = 32;
constexpr int64_t kManyRows = 64;
/// Blocks that are enough for a device.
constexpr int64_t kManyBlocks = 100;

int64_t Quotient(int64_t size, int64_t part) { return (size + part - 1) / part; }

/// What a tile should have room for, so that nearly all sets of weights are read once: those of groups have different
/// numbers of rows, and if these are dealt out at random one in forty has more by two standard deviations.
int64_t RoomForRows(int64_t mean, int64_t groups) {
  return groups == 1 ? mean : mean + static_cast<int64_t>(2 * std::sqrt(static_cast<double>(mean)));
}

template <class Number>
class CudaBuffer : public Buffer {
 public:
  CudaBuffer(Device& device, int64_t size) : numbers_(device, size) {
    operand_ = Operand(numbers_.data());
    bytes_ = numbers_.bytes();
  }

 private:
  DeviceArray<Number> numbers_;
};

Input InputOf(const OperandView& operand) { return {operand.floats, operand.bfloat16s}; }
Output OutputOf(const Operand& operand) { return {operand.floats, operand.bfloat16s}; }

class CudaIndexBuffer : public IndexBuffer {
 public:
  CudaIndexBuffer(Device& device, int64_t size) : indices_(device, size) { data_ = indices_.data(); }

 private:
  DeviceArray<int32_t> indices_;
};

/// The table in the format of the file.
class CudaTable : public EmbeddingTable {
 public:
  CudaTable(Device& device, HostStaging& staging, ThreadPool& pool, const TensorView& table)
      : EmbeddingTable(table.shape[0], table.shape[1]),
        type_(table.type),
        numbers_(device, table.size() * BytesPerNumber(table.type)) {
    if (device.plans_only()) return;
    for (int64_t first = 0; first < bytes(); first += HostStaging::kBytes) {
      const int64_t count = std::min(HostStaging::kBytes, bytes() - first);
      uint8_t* buffer = staging.Next(count);
      pool.Run(Quotient(count, kMebibyte), [&](int64_t task, int) noexcept {
        const int64_t begin = task * kMebibyte;
        std::memcpy(buffer + begin, table.data + first + begin,
                    static_cast<size_t>(std::min(kMebibyte, count - begin)));
      });
      staging.Send(numbers_.data() + first, count);
    }
  }

  int64_t bytes() const override { return numbers_.bytes(); }
  /// The numbers where they are of the type, else null.
  template <class T>
  const T* As(DataType type) const {
    return type == type_ ? reinterpret_cast<const T*>(numbers_.data()) : nullptr;
  }

 private:
  DataType type_;
  DeviceArray<uint8_t> numbers_;
};

Output NormOutput(const NormArguments& arguments) {
  return {arguments.exact == nullptr ? arguments.output.floats : arguments.exact, arguments.output.bfloat16s};
}

Product Describe(const MatmulArguments& arguments) {
  const Fragments& weights = static_cast<const CudaMatrix&>(*arguments.weights).fragments();
  return {weights,
          nullptr,
          nullptr,
          InputOf(arguments.input),
          nullptr,
          arguments.rows,
          arguments.bias,
          arguments.epilogue,
          OutputOf(arguments.output)};
}

Product Describe(const GroupedMatmulArguments& arguments) {
  const auto& weights = static_cast<const CudaMatrixGroup&>(*arguments.weights);
  return {weights.first(), weights.table(), arguments.ends,     InputOf(arguments.input),  arguments.input_rows,
          arguments.rows,  nullptr,         arguments.epilogue, OutputOf(arguments.output)};
}

}  // namespace

CudaBackend::CudaBackend(std::unique_ptr<Device> device, Precision precision, int threads, const BackendLimits& limits,
                         std::shared_ptr<DenseProducts> dense)
    : device_(std::move(device)),
      precision_(precision),
      limits_(limits),
      pool_(threads),
      staging_(*device_),
      step_(*device_),
      quantised_(*device_, limits.max_rows),
      dense_(dense == nullptr ? nullptr : std::make_unique<DenseStage>(*device_, std::move(dense), quantised_)) {}

CudaBackend::~CudaBackend() = default;

Precision PrecisionOf(ProductFormat products) {
  switch (products) {
    case ProductFormat::kFloat32:
      return Precision::kFloat32;
    case ProductFormat::kBfloat16:
      return Precision::kBfloat16;
    case ProductFormat::kFp8:
      return Precision::kFp8;
    case ProductFormat::kInt4:
      return Precision::kInt4;
    case ProductFormat::kFp8Inputs:
      return Precision::kFp8Inputs;
    case ProductFormat::kInt8:
      break;
  }
  Fail(SFUMATO_FAILED_PRECONDITION, "product_type", "INT8",
       "F32, BF16, FP8, INT4 or FP8_INPUTS, since there are no such kernels for GPUs");
}

std::optional<DenseType> DenseTypeOf(Precision precision) {
  if (precision == Precision::kFp8Inputs) return DenseType::kFloat8;
  return precision == Precision::kBfloat16 ? std::optional(DenseType::kBfloat16) : std::nullopt;
}

std::string CudaBackend::ProductsName() const {
  const std::string dense = dense_ == nullptr ? "" : ", " + dense_->Name();
  if (precision_ == Precision::kFp8Inputs) return "fp8 tensor cores" + dense;
  if (precision_ == Precision::kFp8) return "bf16 by fp8 weights, tensor cores";
  if (precision_ == Precision::kInt4) return "bf16 by int4 weights, tensor cores";
  return precision_ == Precision::kBfloat16 ? "bf16 tensor cores" + dense : "f32 as bf16 terms, tensor cores";
}

std::unique_ptr<Backend> CudaBackend::MakePlanner() const {
  return std::make_unique<CudaBackend>(std::make_unique<PlanningDevice>(), precision_, 1, limits_,
                                       dense_ == nullptr ? nullptr : dense_->products());
}

void CudaBackend::Reserve(const Backend& planner) {
  const int64_t needed =
      static_cast<const PlanningDevice&>(*static_cast<const CudaBackend&>(planner).device_).allocated();
  const DeviceMemory memory = device_->Memory();
  if (needed + kDriverBytes > memory.free) {
    const auto mebibytes = [](int64_t bytes) { return std::to_string((bytes + kMebibyte - 1) / kMebibyte); };
    const int64_t pages = planner.page_bytes();
    Fail(SFUMATO_RESOURCE_EXHAUSTED, "GPU memory",
         mebibytes(needed) + " MiB (weights " + mebibytes(planner.weight_bytes()) + ", key-value pages " +
             mebibytes(pages) + ", activations and slots " + mebibytes(planner.allocated_bytes() - pages) +
             ", work space of steps and candidates " + mebibytes(planner.WorkBytes()) + ")",
         "at most " + mebibytes(memory.free - kDriverBytes) + " MiB, since " + mebibytes(memory.free) + " of " +
             mebibytes(memory.total) + " are free and the driver needs some; fewer pages, slots, batch tokens or " +
             "candidates need less, and so do BF16 products");
  }
  device_->Reserve(needed);
}

std::unique_ptr<Buffer> CudaBackend::Allocate(int64_t size) {
  auto buffer = std::make_unique<CudaBuffer<float>>(*device_, size);
  CountAllocated(buffer->bytes());
  return buffer;
}

std::unique_ptr<Buffer> CudaBackend::AllocateOperand(int64_t size) {
  if (precision_ == Precision::kFloat32) return Allocate(size);
  auto buffer = std::make_unique<CudaBuffer<uint16_t>>(*device_, size);
  CountAllocated(buffer->bytes());
  return buffer;
}

std::unique_ptr<IndexBuffer> CudaBackend::AllocateIndices(int64_t size) {
  CountAllocated(size * static_cast<int64_t>(sizeof(int32_t)));
  return std::make_unique<CudaIndexBuffer>(*device_, size);
}

std::unique_ptr<Buffer> CudaBackend::Upload(const std::vector<float>& values) {
  auto buffer = std::make_unique<CudaBuffer<float>>(*device_, static_cast<int64_t>(values.size()));
  device_->Upload(buffer->data(), values.data(), buffer->bytes());
  CountWeights(buffer->bytes());
  return buffer;
}

std::unique_ptr<PackedMatrix> CudaBackend::PackFragments(Precision precision, const std::vector<TensorView>& parts,
                                                         bool gated) {
  auto matrix = std::make_unique<CudaMatrix>(*device_, staging_, pool_, precision, parts, gated);
  CountPacked(*matrix, parts);
  return matrix;
}

std::unique_ptr<PackedMatrix> CudaBackend::PackDense(const std::vector<TensorView>& parts, bool gated) {
  if (dense_ != nullptr) {
    if (auto matrix = dense_->Pack(staging_, pool_, parts, gated)) {
      CountPacked(*matrix, parts);
      return matrix;
    }
  }
  if (precision_ == Precision::kFp8Inputs) quantised_.Expect(parts.front().shape[1]);
  return PackFragments(precision_, parts, gated);
}

std::unique_ptr<PackedMatrix> CudaBackend::Pack(const std::vector<TensorView>& parts) {
  return PackDense(parts, false);
}

std::unique_ptr<PackedMatrix> CudaBackend::PackExact(const TensorView& matrix) {
  return PackFragments(Precision::kFloat32, {matrix}, false);
}

std::unique_ptr<PackedMatrix> CudaBackend::PackGated(const TensorView& gate, const TensorView& up) {
  return PackDense({gate, up}, true);
}

std::unique_ptr<PackedMatrix> CudaBackend::PackExpert(const TensorView& matrix) {
  return PackFragments(PrecisionOfRoundedInputs(), {matrix}, false);
}

std::unique_ptr<PackedMatrix> CudaBackend::PackGatedExpert(const TensorView& gate, const TensorView& up) {
  return PackFragments(PrecisionOfRoundedInputs(), {gate, up}, true);
}

std::unique_ptr<PackedMatrix> CudaBackend::PackHead(const TensorView& matrix) {
  return PackFragments(precision_ == Precision::kInt4 ? Precision::kFp8 : PrecisionOfRoundedInputs(), {matrix}, false);
}

void CudaBackend::CountPacked(const PackedMatrix& matrix, const std::vector<TensorView>& parts) {
  CountWeights(matrix.bytes());
  for (const TensorView& part : parts) CountRead(part.size() * BytesPerNumber(part.type));
}

std::unique_ptr<MatrixGroup> CudaBackend::Group(const std::vector<const PackedMatrix*>& matrices) {
  auto group = std::make_unique<CudaMatrixGroup>(*device_, matrices);
  CountWeights(group->bytes());
  return group;
}

std::unique_ptr<EmbeddingTable> CudaBackend::UploadTable(const TensorView& table) {
  auto copy = std::make_unique<CudaTable>(*device_, staging_, pool_, table);
  CountWeights(copy->bytes());
  CountRead(copy->bytes());
  return copy;
}

void CudaBackend::ReserveAttention(int64_t head_dim) {
  if (head_dim > kMaxHeadDim)
    Fail(SFUMATO_UNIMPLEMENTED, "head size", head_dim, "at most " + std::to_string(kMaxHeadDim) + " on a GPU");
}

void CudaBackend::ReserveCandidates(int64_t vocabulary, int64_t hidden) {
  candidates_ = std::make_unique<CandidateStage>(*device_, limits_, vocabulary, hidden);
}

void CudaBackend::ReserveSoftEmbeddings(int64_t) { candidates_->ReserveSoftEmbeddings(); }

int64_t CudaBackend::WorkBytes() const {
  return step_.bytes() + quantised_.bytes() + (candidates_ == nullptr ? 0 : candidates_->bytes()) +
         (dense_ == nullptr ? 0 : dense_->bytes());
}

void CudaBackend::BeginStep(const StepLayout& layout) {
  staging_.Release();  // the model is loaded
  step_began_ = device_->plans_only() ? nullptr : device_->Mark();
  layout_ = &layout;
  quantised_.Reserve();
  if (dense_ != nullptr) dense_->Reserve();
  step_.Copy(layout);
}

void CudaBackend::EndStep() {
  if (step_began_ != nullptr) {
    const std::unique_ptr<Moment> ended = device_->Mark();
    ended->Wait();
    profile().AddKernel("step", ended->NanosecondsSince(*step_began_));
    step_began_ = nullptr;
  }
  device_->WriteProfile(profile());
}

const int32_t* CudaBackend::OnDevice(const int32_t* indices) const {
  if (layout_ == nullptr || indices == nullptr) return indices;
  if (indices == layout_->tokens.data()) return step_.tokens();
  if (indices == layout_->positions.data()) return step_.positions();
  return indices == layout_->selected.data() ? step_.selected() : indices;
}

void CudaBackend::Embed(const EmbeddingArguments& arguments) {
  if (arguments.rows == 0) return;
  const auto& table = static_cast<const CudaTable&>(*arguments.table);
  Launch(*device_,
         EmbedKernel{table.As<float>(DataType::kFloat32), table.As<uint16_t>(DataType::kBfloat16),
                     table.As<uint16_t>(DataType::kFloat16), OnDevice(arguments.indices), table.width(), arguments.add,
                     arguments.output},
         {arguments.rows, 1, 1});
}

void CudaBackend::RmsNorm(const NormArguments& arguments) {
  if (arguments.rows == 0) return;
  Launch(*device_,
         RmsNormKernel{arguments.input, arguments.width, arguments.weight, arguments.epsilon, NormOutput(arguments)},
         {arguments.rows, 1, 1});
}

void CudaBackend::LayerNorm(const NormArguments& arguments) {
  if (arguments.rows == 0) return;
  Launch(*device_,
         LayerNormKernel{arguments.input, arguments.width, arguments.weight, arguments.bias, arguments.epsilon,
                         NormOutput(arguments)},
         {arguments.rows, 1, 1});
}

void CudaBackend::PrepareHeads(const HeadArguments& arguments) {
  const int64_t heads = arguments.rows * (arguments.heads + arguments.value_heads);
  if (heads == 0) return;
  const Rotation& rotation = arguments.rotation;
  Launch(*device_,
         HeadsKernel{arguments.input, arguments.stride, arguments.rows, arguments.head_dim, arguments.heads,
                     arguments.value_heads, arguments.norm, arguments.value_norm, arguments.epsilon,
                     rotation.rotary_dim / 2, OnDevice(rotation.positions), OnDevice(rotation.row_indices),
                     rotation.cosines, rotation.sines, OutputOf(arguments.output)},
         {Quotient(heads, HeadsKernel::kHeads), 1, 1});
}

void CudaBackend::Matmul(const MatmulArguments& arguments) {
  if (arguments.rows == 0) return;
  device_->Label(PartName(arguments.part));
  if (dynamic_cast<const DenseMatrix*>(arguments.weights) != nullptr) return dense_->Run(arguments);
  const auto& matrix = static_cast<const CudaMatrix&>(*arguments.weights);
  if (matrix.format() == WeightFormat::kFp8Pairs) return MultiplyQuantised(matrix, arguments);
  LaunchProduct(matrix, Describe(arguments), 1);
}

void CudaBackend::MultiplyQuantised(const CudaMatrix& matrix, const MatmulArguments& arguments) {
  Product product = Describe(arguments);
  for (int64_t first = 0; first < arguments.rows; first += quantised_.rows()) {
    product.rows = std::min(quantised_.rows(), arguments.rows - first);
    quantised_.Write(arguments.input, first, product.rows, product.rows, matrix.inner());
    product.input = {nullptr, reinterpret_cast<const uint16_t*>(quantised_.numbers())};
    product.row_scales = quantised_.scales();
    product.output = OutputOf(arguments.output.From(first * matrix.outputs()));
    LaunchProduct(matrix, product, 1);
  }
}

void CudaBackend::GroupedMatmul(const GroupedMatmulArguments& arguments) {
  if (arguments.rows == 0) return;
  device_->Label(PartName(arguments.part));
  const auto& weights = static_cast<const CudaMatrixGroup&>(*arguments.weights);
  LaunchProduct(weights, Describe(arguments), weights.groups());
}

/// All kernels that may be chosen here for one set of weights give the same bits.
template <class Matrix>
void CudaBackend::LaunchProduct(const Matrix& matrix, const Product& product, int64_t groups) {
  const int64_t rows = Quotient(product.rows, groups);  // of a group, on average
  const int64_t room = RoomForRows(rows, groups);
  const auto blocks_of_outputs = [&](auto kernel) {
    return Quotient(product.weights.strips, decltype(kernel)::kStrips);
  };
  const auto blocks = [&](auto kernel) {
    return groups * Quotient(rows, decltype(kernel)::kRows) * blocks_of_outputs(kernel);
  };
  const auto launch = [&](auto kernel) {
    kernel.product = product;
    const bool grouped = !product.group_weights.IsNull();
    Launch(*device_, kernel,
           {grouped ? groups : Quotient(rows, decltype(kernel)::kRows), blocks_of_outputs(kernel), 1});
  };
  if (matrix.format() == WeightFormat::kFp8Pairs) {
    if (rows <= kFewRows) return launch(ProductKernel<kFewRows / 8, 1, Fp8PairWeights, kBlockStrips>{});
    if (rows <= kSomeRows) return launch(ProductKernel<kSomeRows / 8, 1, Fp8PairWeights, kBlockStrips>{});
    // A larger one would spill where FP8 becomes FP16; this one reads as many bytes for a product as the largest of BF16.
    return launch(LargeProductKernel<8, Fp8PairWeights>{});
  }
  const bool rounded = product.input.floats.IsNull();
  ForFormat(matrix.precision(), matrix.format(), rounded, [&](auto, auto inputs, auto format) {
    using Format = decltype(format);
    const ProductKernel<2, inputs.value, Format, kBlockStrips> few = {};
    const ProductKernel<4, inputs.value, Format, kBlockStrips> some = {};
    if constexpr (inputs.value == 1) {
      const ProductKernel<4, 1, Format, 2 * kBlockStrips> wide = {};
      const LargeProductKernel<8, Format> large = {};
      const LargeProductKernel<16, Format> largest = {};
      if (room > kManyRows && blocks(largest) >= kManyBlocks) return launch(largest);
      if (room > kSomeRows && blocks(large) >= (room > kManyRows ? kManyBlocks / 2 : kManyBlocks)) return launch(large);
      if (room > kSomeRows) return launch(ProductKernel<8, 1, Format, kBlockStrips>{});
      if (room > kFewRows / 2 && blocks(wide) >= kManyBlocks) return launch(wide);
    } else if (blocks(some) <= kManyBlocks / 2) {
      return launch(few);  // whose terms keep the tensor cores busy
    }
    if (room <= kFewRows) return launch(few);
    launch(some);
  });
}

void CudaBackend::WriteKeyValues(const KeyValueWriteArguments& arguments) {
  int64_t written = 0;
  for (const Sequence& sequence : arguments.layout->sequences) written = std::max(written, sequence.written);
  if (written == 0) return;
  const Grid grid = {written, static_cast<int64_t>(arguments.layout->sequences.size()), 1};
  const auto launch = [&](const auto* keys, const auto* values, auto* pages) {
    using Number = std::remove_pointer_t<decltype(pages)>;
    Launch(*device_,
           WriteKeyValuesKernel<Number>{step_.sequences(), step_.pages(), arguments.width, keys, values,
                                        arguments.key_stride, pages, arguments.pages.page_tokens},
           grid);
  };
  if (arguments.pages.data.floats != nullptr) {
    launch(arguments.keys.floats, arguments.values.floats, arguments.pages.data.floats);
  } else {
    launch(arguments.keys.bfloat16s, arguments.values.bfloat16s, arguments.pages.data.bfloat16s);
  }
}

/// Large heads have kernels that give the same bits for blocks of twice as many rows.
template <int kHeadDim, int kTerms>
void CudaBackend::ChooseAttention(const AttentionArguments& arguments) {
  if constexpr (kHeadDim >= 256 && kTerms == 1) {
    using Larger = AttentionKernel<kHeadDim, kTerms, 8>;
    int64_t blocks = 0;
    for (const Sequence& sequence : arguments.layout->sequences) {
      const int64_t queries = arguments.selected_only ? sequence.selected : sequence.rows;
      blocks += Quotient(queries * arguments.shape.heads / arguments.shape.kv_heads, Larger::kRows);
    }
    if (blocks * arguments.shape.kv_heads >= kManyBlocks) return LaunchAttention<Larger>(arguments);
  }
  LaunchAttention<AttentionKernel<kHeadDim, kTerms>>(arguments);
}

template <class Kernel>
void CudaBackend::LaunchAttention(const AttentionArguments& arguments) {
  int64_t queries = 0;
  for (const Sequence& sequence : arguments.layout->sequences)
    queries = std::max(queries, arguments.selected_only ? sequence.selected : sequence.rows);
  if (queries == 0) return;
  const AttentionShape& shape = arguments.shape;
  const int64_t group = shape.heads / shape.kv_heads;
  const auto numbers = [](const auto& operand) {
    if constexpr (std::is_same_v<typename Kernel::Number, uint16_t>) {
      return operand.bfloat16s;
    } else {
      return operand.floats;
    }
  };
  Kernel kernel;
  kernel.sequences = step_.sequences();
  kernel.page_list = step_.pages();
  kernel.selected = arguments.selected_only ? step_.selected() : nullptr;
  kernel.group = group;
  kernel.head_dim = shape.head_dim;
  kernel.scale = arguments.scale;
  kernel.window = arguments.window;
  kernel.context_window = arguments.context_window;
  kernel.queries = numbers(arguments.queries);
  kernel.query_stride = arguments.query_stride;
  kernel.keys = numbers(arguments.keys);
  kernel.values = numbers(arguments.values);
  kernel.key_stride = arguments.key_stride;
  kernel.pages = numbers(arguments.pages.data);
  kernel.page_tokens = arguments.pages.page_tokens;
  kernel.page_width = shape.kv_heads * shape.head_dim;
  kernel.output = numbers(arguments.output);
  kernel.output_stride = arguments.output_stride;
  Launch(*device_, kernel,
         {Quotient(queries * group, Kernel::kRows), shape.kv_heads,
          static_cast<int64_t>(arguments.layout->sequences.size())});
}

void CudaBackend::Attention(const AttentionArguments& arguments) {
  const auto launch = [&](auto terms) {
    const int64_t head_dim = arguments.shape.head_dim;
    if (head_dim <= 32) return ChooseAttention<32, terms.value>(arguments);
    if (head_dim <= 64) return ChooseAttention<64, terms.value>(arguments);
    if (head_dim <= 128) return ChooseAttention<128, terms.value>(arguments);
    if (head_dim <= 256) return ChooseAttention<256, terms.value>(arguments);
    ChooseAttention<512, terms.value>(arguments);
  };
  if (precision_ == Precision::kFloat32) {
    launch(std::integral_constant<int, 3>{});
  } else {
    launch(std::integral_constant<int, 1>{});
  }
}

void CudaBackend::Gather(const GatherArguments& arguments) {
  if (arguments.rows == 0) return;
  const Grid grid = {arguments.rows, 1, 1};
  const int32_t* indices = OnDevice(arguments.indices);
  const auto launch = [&](const auto* input, auto* output) {
    using Number = std::remove_pointer_t<decltype(output)>;
    Launch(*device_, GatherKernel<Number>{input, indices, arguments.width, output}, grid);
  };
  if (arguments.output.floats != nullptr) {
    launch(arguments.input.floats, arguments.output.floats);
  } else {
    launch(arguments.input.bfloat16s, arguments.output.bfloat16s);
  }
}

void CudaBackend::AddBranches(const ResidualArguments& arguments) {
  if (arguments.rows == 0) return;
  const auto& branches = arguments.branches;
  ResidualKernel kernel = {arguments.width,
                           arguments.epsilon,
                           branches[0].numbers,
                           branches[0].weight,
                           branches[1].numbers,
                           branches[1].weight,
                           arguments.sum_weight,
                           arguments.factor,
                           arguments.residual,
                           {},
                           {}};
  for (int i = 0; i < ResidualKernel::kOutputs; ++i) {
    kernel.output_weights[i] = arguments.outputs[i].weight;
    kernel.outputs[i] = OutputOf(arguments.outputs[i].numbers);
  }
  Launch(*device_, kernel, {arguments.rows, 1, 1});
}

void CudaBackend::Scale(const ScaleArguments& arguments) {
  const int64_t size = arguments.rows * arguments.width;
  if (size == 0) return;
  Launch(*device_, ScaleKernel{arguments.numbers, size, arguments.factor}, {Quotient(size, kRowThreads), 1, 1});
}

void CudaBackend::Copy(const float* from, int64_t size, float* to) {
  device_->Copy(to, from, size * static_cast<int64_t>(sizeof(float)));
}

void CudaBackend::Route(const RouteArguments& arguments) {
  if (arguments.rows == 0) return;
  const RouterRules& rules = arguments.rules;
  Launch(*device_,
         RouteKernel{rules.score == RouterRules::Score::kSigmoid, static_cast<int32_t>(rules.experts),
                     static_cast<int32_t>(rules.chosen), rules.bias, rules.bias != nullptr && rules.bias_weighs,
                     static_cast<int32_t>(rules.groups), static_cast<int32_t>(rules.chosen_groups), rules.normalized,
                     rules.scale, rules.expert_scale, arguments.logits, arguments.experts, arguments.weights},
         {arguments.rows, 1, 1});
  Launch(*device_,
         PlaceKernel{arguments.experts, arguments.rows * rules.chosen, rules.chosen, arguments.places,
                     arguments.rows_placed, arguments.ends},
         {rules.experts, 1, 1});
}

void CudaBackend::Combine(const CombineArguments& arguments) {
  if (arguments.rows == 0) return;
  Launch(*device_,
         CombineKernel{arguments.input, arguments.places, arguments.weights, arguments.chosen, arguments.width,
                       arguments.add, arguments.output},
         {arguments.rows, Quotient(arguments.width, kRowThreads), 1});
}

void CudaBackend::Candidates(const CandidateArguments& arguments) {
  candidates_->Run(arguments, step_,
                   [this](const CudaMatrix& head, const Product& product) { LaunchProduct(head, product, 1); });
}

}  // namespace sfumato::cuda
