#ifndef SFUMATO_PLUGIN_PLUGIN_H_
#define SFUMATO_PLUGIN_PLUGIN_H_

#include <memory>
#include <string>

#include "engine/engine.h"
#include "sfumato_engine.h"

namespace sfumato::plugin {

/// A library with the same C interface for another kind of device, loaded while the program runs. Immutable; its code
/// stays loaded.
class Plugin {
 public:
  /// Where libsfumato_cuda.so should be: SFUMATO_CUDA_LIBRARY of the environment, else beside this library.
  static std::string CudaPath();

  /// Throws FAILED_PRECONDITION where there is no such library, or one of another version of the interface.
  explicit Plugin(const std::string& path);

  /// Throws what the plug-in says of the device.
  void CheckDevice(sfumato_device device, int32_t ordinal) const;
  /// Throws what the plug-in answers.
  std::unique_ptr<Engine> Open(const sfumato_options& options) const;

  struct Functions;

 private:
  std::shared_ptr<const Functions> functions_;
};

}  // namespace sfumato::plugin

#endif  // SFUMATO_PLUGIN_PLUGIN_H_
