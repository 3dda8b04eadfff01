#ifndef SFUMATO_ENGINE_BACKEND_FACTORY_H_
#define SFUMATO_ENGINE_BACKEND_FACTORY_H_

#include <memory>

#include "engine/engine_options.h"
#include "ops/backend.h"

namespace sfumato {

/// The backend of this library; each defines its own.
std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits);

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_BACKEND_FACTORY_H_
