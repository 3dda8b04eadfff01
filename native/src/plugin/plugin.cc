#include "plugin/plugin.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/load_progress.h"

namespace sfumato::plugin {

/// The C interface of a plug-in. Nothing else passes between the two: each has a C++ runtime of its own.
struct Plugin::Functions {
  decltype(&sfumato_abi_version) abi_version;
  decltype(&sfumato_check_device) check_device;
  decltype(&sfumato_open) open;
  decltype(&sfumato_load_progress) load_progress;
  decltype(&sfumato_get_info) get_info;
  decltype(&sfumato_get_buffers) get_buffers;
  decltype(&sfumato_plan) plan;
  decltype(&sfumato_run) run;
  decltype(&sfumato_run_logits) run_logits;
  decltype(&sfumato_copy_state) copy_state;
  decltype(&sfumato_reset_slot) reset_slot;
  decltype(&sfumato_profile) profile;
  decltype(&sfumato_last_error) last_error;
  decltype(&sfumato_close) close;

  /// Throws what a call on the engine, or null, answered.
  void Require(sfumato_status status, const sfumato_engine* engine) const {
    if (status != SFUMATO_OK) throw Error(status, last_error(engine));
  }
};

namespace {

constexpr const char* kCudaName = "libsfumato_cuda.so";
constexpr const char* kCudaVariable = "SFUMATO_CUDA_LIBRARY";

/// How far the plug-in has come, for those who ask this library.
class PluginProgress : public LoadProgress {
 public:
  PluginProgress(const Plugin::Functions& functions, const std::string& directory)
      : LoadProgress(directory, 0), functions_(functions), directory_(directory) {}

 protected:
  bool Read(Bytes& bytes) const override {
    return functions_.load_progress(directory_.c_str(), &bytes.read, &bytes.total) == SFUMATO_OK;
  }

 private:
  const Plugin::Functions& functions_;
  const std::string directory_;
};

/// An engine behind a plug-in's interface.
class PluginEngine : public Engine {
 public:
  PluginEngine(std::shared_ptr<const Plugin::Functions> functions, const sfumato_options& options)
      : functions_(std::move(functions)) {
    const PluginProgress progress(*functions_, options.model_directory);
    functions_->Require(functions_->open(&options, &engine_), nullptr);
  }
  ~PluginEngine() override { functions_->close(engine_); }

  PluginEngine(const PluginEngine&) = delete;
  PluginEngine& operator=(const PluginEngine&) = delete;

  sfumato_info Info() const override {
    sfumato_info info = {};
    info.struct_size = sizeof(info);
    Require(functions_->get_info(engine_, &info));
    return info;
  }
  sfumato_buffers Buffers() override {
    sfumato_buffers buffers = {};
    buffers.struct_size = sizeof(buffers);
    Require(functions_->get_buffers(engine_, &buffers));
    return buffers;
  }
  void Plan(int32_t item_count) override { Require(functions_->plan(engine_, item_count)); }
  void Run(float* logits, uint64_t capacity) override {
    Require(logits == nullptr ? functions_->run(engine_) : functions_->run_logits(engine_, logits, capacity));
  }
  void CopyState(int32_t from_slot, int32_t to_slot) override {
    Require(functions_->copy_state(engine_, from_slot, to_slot));
  }
  void ResetSlot(int32_t slot) override { Require(functions_->reset_slot(engine_, slot)); }
  int32_t ReadProfile(sfumato_profile_entry* entries, int32_t capacity, bool reset) override {
    int32_t count = capacity;
    Require(functions_->profile(engine_, entries, &count, reset ? 1 : 0));
    return count;
  }

 private:
  void Require(sfumato_status status) const { functions_->Require(status, engine_); }

  const std::shared_ptr<const Plugin::Functions> functions_;
  sfumato_engine* engine_ = nullptr;
};

}  // namespace

std::string Plugin::CudaPath() {
  const char* given = std::getenv(kCudaVariable);
  if (given != nullptr && *given != '\0') return given;
  Dl_info library = {};
  if (dladdr(reinterpret_cast<const void*>(&sfumato_abi_version), &library) == 0 || library.dli_fname == nullptr)
    return kCudaName;
  return (std::filesystem::path(library.dli_fname).parent_path() / kCudaName).string();
}

Plugin::Plugin(const std::string& path) {
  const std::string expected = std::string("a library of Sfumato for CUDA, beside libsfumato.so or where ") +
                               kCudaVariable + " of the environment says";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    Fail(SFUMATO_FAILED_PRECONDITION, "CUDA plug-in", "no " + path, expected);
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* error = dlerror();
    Fail(SFUMATO_FAILED_PRECONDITION, "CUDA plug-in", error == nullptr ? path : error, expected);
  }
  auto functions = std::make_shared<Functions>();
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    complete &= function != nullptr;
  };
  // First: of another version nothing more is known.
  find(functions->abi_version, "sfumato_abi_version");
  if (functions->abi_version == nullptr) Fail(SFUMATO_FAILED_PRECONDITION, "CUDA plug-in", path, expected);
  const int32_t version = functions->abi_version();
  if (version != SFUMATO_ABI_VERSION) {
    Fail(SFUMATO_FAILED_PRECONDITION, "CUDA plug-in", path + " of interface " + std::to_string(version),
         "interface " + std::to_string(SFUMATO_ABI_VERSION) + ", as libsfumato.so has");
  }
  find(functions->check_device, "sfumato_check_device");
  find(functions->open, "sfumato_open");
  find(functions->load_progress, "sfumato_load_progress");
  find(functions->get_info, "sfumato_get_info");
  find(functions->get_buffers, "sfumato_get_buffers");
  find(functions->plan, "sfumato_plan");
  find(functions->run, "sfumato_run");
  find(functions->run_logits, "sfumato_run_logits");
  find(functions->copy_state, "sfumato_copy_state");
  find(functions->reset_slot, "sfumato_reset_slot");
  find(functions->profile, "sfumato_profile");
  find(functions->last_error, "sfumato_last_error");
  find(functions->close, "sfumato_close");
  if (!complete) Fail(SFUMATO_FAILED_PRECONDITION, "CUDA plug-in", path + " without a part of the interface", expected);
  functions_ = std::move(functions);
}

void Plugin::CheckDevice(sfumato_device device, int32_t ordinal) const {
  functions_->Require(functions_->check_device(device, ordinal), nullptr);
}

std::unique_ptr<Engine> Plugin::Open(const sfumato_options& options) const {
  return std::make_unique<PluginEngine>(functions_, options);
}

}  // namespace sfumato::plugin
