#ifndef SFUMATO_ENGINE_ENGINE_OPTIONS_H_
#define SFUMATO_ENGINE_ENGINE_OPTIONS_H_

#include <string>

#include "base/cpu_features.h"
#include "ops/matmul.h"
#include "sfumato_engine.h"

namespace sfumato {

constexpr int32_t kMaxDeviceOrdinal = 63;

/// Checked options of an engine; see sfumato_options.
struct EngineOptions {
  std::string model_directory;
  int threads = 1;
  InstructionSet instruction_set = InstructionSet::kPortable;
  ProductFormat products = ProductFormat::kFloat32;
  int64_t max_slots = 1;
  int64_t max_items = 1;
  int64_t max_batch_tokens = 1;
  int64_t max_candidates = 1;
  int64_t page_tokens = 16;
  int64_t max_pages = 0;
  int64_t max_top_candidates = 0;
  bool approximate_cache = false;
  sfumato_device device = SFUMATO_DEVICE_AUTO;
  int device_ordinal = 0;
  bool device_profile = false;

  /// Throws INVALID_ARGUMENT, or FAILED_PRECONDITION for what this CPU can't do.
  static EngineOptions Check(const sfumato_options& options);
};

/// The options that sfumato_default_options fills in.
sfumato_options DefaultOptions();

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_ENGINE_OPTIONS_H_
