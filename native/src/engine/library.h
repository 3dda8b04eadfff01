#ifndef SFUMATO_ENGINE_LIBRARY_H_
#define SFUMATO_ENGINE_LIBRARY_H_

#include <memory>

#include "engine/engine.h"
#include "engine/engine_options.h"
#include "ops/backend.h"

namespace sfumato {

// What each library defines for itself. The rest of the core is the same in all.

/// The backend of this library.
std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits);

/// An engine on the device that the options ask for.
std::unique_ptr<Engine> OpenEngine(const sfumato_options& options);

/// Throws FAILED_PRECONDITION with what is missing where the device can't be used.
void CheckDevice(sfumato_device device, int32_t ordinal);

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_LIBRARY_H_
