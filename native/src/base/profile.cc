#include "base/profile.h"

namespace sfumato {

const char* PartName(Part part) {
  switch (part) {
    case Part::kEmbedding:
      return "embedding";
    case Part::kNorm:
      return "norm";
    case Part::kAttentionProjections:
      return "attention_projections";
    case Part::kRope:
      return "rope";
    case Part::kAttention:
      return "attention";
    case Part::kFeedForward:
      return "feed_forward";
    case Part::kRouter:
      return "router";
    case Part::kKeyValueWrite:
      return "key_value_write";
    case Part::kGather:
      return "gather";
    case Part::kHead:
      return "head";
    case Part::kVocabulary:
      return "vocabulary";
    case Part::kSampling:
      return "sampling";
  }
  return "unknown";
}

}  // namespace sfumato
