#include "engine/engine_options.h"

#include <cstring>

#include "base/error.h"

namespace sfumato {
namespace {

constexpr size_t kMaxPathBytes = 4096;

InstructionSet CheckInstructionSet(int32_t set) {
  CheckRange("instruction_set", set, SFUMATO_ISA_AUTO, SFUMATO_ISA_AVX512);
  if (set == SFUMATO_ISA_AUTO) return BestInstructionSet();
  if (set == SFUMATO_ISA_PORTABLE) return InstructionSet::kPortable;
  return set == SFUMATO_ISA_AVX2 ? InstructionSet::kAvx2 : InstructionSet::kAvx512;
}

}  // namespace

sfumato_options DefaultOptions() {
  sfumato_options options = {};
  options.struct_size = sizeof(sfumato_options);
  options.model_directory = nullptr;
  options.threads = 0;
  options.product_type = SFUMATO_PRODUCT_AUTO;
  options.instruction_set = SFUMATO_ISA_AUTO;
  options.max_slots = 64;
  options.max_items = 64;
  options.max_batch_tokens = 4096;
  options.max_candidates = 4096;
  options.page_tokens = 16;
  options.max_pages = 0;
  options.max_top_candidates = 0;
  options.approximate_cache = 0;
  options.device = SFUMATO_DEVICE_AUTO;
  options.device_ordinal = 0;
  options.device_profile = 0;
  return options;
}

EngineOptions EngineOptions::Check(const sfumato_options& options) {
  if (options.struct_size != sizeof(sfumato_options)) {
    Fail(SFUMATO_INVALID_ARGUMENT, "options.struct_size", options.struct_size, std::to_string(sizeof(sfumato_options)));
  }
  if (options.model_directory == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, "model_directory", "null", "a directory");
  const size_t path_bytes = strnlen(options.model_directory, kMaxPathBytes + 1);
  if (path_bytes == 0 || path_bytes > kMaxPathBytes) {
    Fail(SFUMATO_INVALID_ARGUMENT, "model_directory length", path_bytes, "1.." + std::to_string(kMaxPathBytes));
  }
  EngineOptions checked;
  checked.model_directory = options.model_directory;
  CheckRange("threads", options.threads, 0, 256);
  checked.threads = options.threads == 0 ? std::min(UsableCores(), 256) : options.threads;
  CheckRange("product_type", options.product_type, SFUMATO_PRODUCT_AUTO, SFUMATO_PRODUCT_FP8_INPUTS);
  checked.instruction_set = CheckInstructionSet(options.instruction_set);
  if (options.product_type == SFUMATO_PRODUCT_BF16) checked.products = ProductFormat::kBfloat16;
  if (options.product_type == SFUMATO_PRODUCT_INT8) checked.products = ProductFormat::kInt8;
  if (options.product_type == SFUMATO_PRODUCT_FP8) checked.products = ProductFormat::kFp8;
  if (options.product_type == SFUMATO_PRODUCT_INT4) checked.products = ProductFormat::kInt4;
  if (options.product_type == SFUMATO_PRODUCT_FP8_INPUTS) checked.products = ProductFormat::kFp8Inputs;
  CheckRange("max_slots", options.max_slots, 1, 65536);
  CheckRange("max_items", options.max_items, 1, SFUMATO_MAX_ITEMS);
  CheckRange("max_batch_tokens", options.max_batch_tokens, 1, SFUMATO_MAX_BATCH_TOKENS);
  CheckRange("max_candidates", options.max_candidates, 1, options.max_batch_tokens);
  CheckRange("page_tokens", options.page_tokens, 1, 1024);
  CheckRange("max_pages", options.max_pages, 0, 1 << 24);
  CheckRange("max_top_candidates", options.max_top_candidates, 0, SFUMATO_MAX_TOP_CANDIDATES);
  CheckRange("approximate_cache", options.approximate_cache, 0, 1);
  CheckRange("device", options.device, SFUMATO_DEVICE_AUTO, SFUMATO_DEVICE_CUDA);
  CheckRange("device_ordinal", options.device_ordinal, 0, options.device == SFUMATO_DEVICE_CPU ? 0 : kMaxDeviceOrdinal);
  CheckRange("device_profile", options.device_profile, 0, 1);
  checked.device = static_cast<sfumato_device>(options.device);
  checked.device_ordinal = options.device_ordinal;
  checked.device_profile = options.device_profile != 0;
  checked.approximate_cache = options.approximate_cache != 0;
  checked.max_slots = options.max_slots;
  checked.max_items = options.max_items;
  checked.max_batch_tokens = options.max_batch_tokens;
  checked.max_candidates = options.max_candidates;
  checked.page_tokens = options.page_tokens;
  checked.max_pages = options.max_pages;
  checked.max_top_candidates = options.max_top_candidates;
  return checked;
}

}  // namespace sfumato
