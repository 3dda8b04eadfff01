#ifndef SFUMATO_LAYERS_KEY_VALUE_CACHE_H_
#define SFUMATO_LAYERS_KEY_VALUE_CACHE_H_

#include <memory>
#include <vector>

#include "ops/backend.h"

namespace sfumato {

/// Pages of keys and values, one buffer for each layer.
class KeyValueCache {
 public:
  KeyValueCache() = default;
  KeyValueCache(Backend& backend, int64_t layers, int64_t pages, int64_t page_tokens, const AttentionShape& shape)
      : page_tokens_(page_tokens) {
    if (pages == 0) return;
    for (int64_t layer = 0; layer < layers; ++layer) {
      layers_.push_back(backend.AllocateOperand(pages * page_tokens * 2 * shape.kv_heads * shape.head_dim));
      backend.CountPages(*layers_.back());
    }
  }

  /// The layer's pages; without data when there are none.
  KeyValuePages Layer(int64_t layer) const {
    if (layers_.empty()) return {{}, page_tokens_};
    return {layers_[static_cast<size_t>(layer)]->operand(), page_tokens_};
  }

 private:
  std::vector<std::unique_ptr<Buffer>> layers_;
  int64_t page_tokens_ = 1;
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_KEY_VALUE_CACHE_H_
