#ifndef SFUMATO_MODELS_REGISTRY_H_
#define SFUMATO_MODELS_REGISTRY_H_

#include <memory>

#include "models/model.h"

namespace sfumato {

/// Loads the family that config.json names. Throws UNIMPLEMENTED for an unknown one, DATA_LOSS when the tensors
/// contradict the config.
std::unique_ptr<Model> LoadModel(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

}  // namespace sfumato

#endif  // SFUMATO_MODELS_REGISTRY_H_
