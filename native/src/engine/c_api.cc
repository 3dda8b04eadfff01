#include <memory>
#include <new>
#include <string>

#include "base/error.h"
#include "base/load_progress.h"
#include "engine/engine_options.h"
#include "engine/library.h"
#include "sfumato_engine.h"

struct sfumato_engine {
  explicit sfumato_engine(std::unique_ptr<sfumato::Engine> opened) : engine(std::move(opened)) {}

  std::unique_ptr<sfumato::Engine> engine;
  std::string last_error;
  bool failed = false;
};

namespace {

using sfumato::CheckRange;
using sfumato::Error;
using sfumato::Fail;

thread_local std::string last_error_without_engine;

/// Runs a call's body; whatever it throws becomes a status and a message.
template <class Body>
sfumato_status Guard(std::string& last_error, const Body& body) noexcept {
  sfumato_status status = SFUMATO_INTERNAL;
  try {
    last_error.clear();
    body();
    return SFUMATO_OK;
  } catch (const Error& e) {
    status = e.status();
    try {
      last_error = e.what();
    } catch (...) {
      last_error.clear();
    }
  } catch (const std::bad_alloc&) {
    status = SFUMATO_RESOURCE_EXHAUSTED;
    last_error = "no memory";  // fits without an allocation
  } catch (const std::exception& e) {
    try {
      last_error = e.what();
    } catch (...) {
      last_error.clear();
    }
  } catch (...) {
    last_error = "unknown error";
  }
  return status;
}

/// Guards a call that needs an engine.
template <class Body>
sfumato_status WithEngine(const sfumato_engine* engine, const Body& body) noexcept {
  if (engine == nullptr) {
    return Guard(last_error_without_engine, [] { Fail(SFUMATO_INVALID_ARGUMENT, "engine", "null", "an open engine"); });
  }
  // The message is no part of what a const call may not change.
  auto* changed = const_cast<sfumato_engine*>(engine);
  if (changed->failed) return SFUMATO_INTERNAL;  // with the first failure's message
  const sfumato_status status = Guard(changed->last_error, body);
  changed->failed = status == SFUMATO_INTERNAL;
  return status;
}

template <class Struct>
void CheckStruct(const char* name, const Struct* value) {
  if (value == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, name, "null", "a pointer");
  if (value->struct_size != sizeof(Struct)) {
    Fail(SFUMATO_INVALID_ARGUMENT, std::string(name) + ".struct_size", value->struct_size,
         std::to_string(sizeof(Struct)));
  }
}

}  // namespace

extern "C" {

int32_t sfumato_abi_version(void) { return SFUMATO_ABI_VERSION; }

sfumato_status sfumato_check_device(int32_t device, int32_t device_ordinal) {
  return Guard(last_error_without_engine, [&] {
    CheckRange("device", device, SFUMATO_DEVICE_AUTO, SFUMATO_DEVICE_CUDA);
    CheckRange("device_ordinal", device_ordinal, 0, sfumato::kMaxDeviceOrdinal);
    sfumato::CheckDevice(static_cast<sfumato_device>(device), device_ordinal);
  });
}

sfumato_status sfumato_default_options(sfumato_options* options) {
  return Guard(last_error_without_engine, [&] {
    if (options == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, "options", "null", "a pointer");
    *options = sfumato::DefaultOptions();
  });
}

sfumato_status sfumato_open(const sfumato_options* options, sfumato_engine** engine) {
  return Guard(last_error_without_engine, [&] {
    if (engine == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, "engine", "null", "a place for the engine");
    *engine = nullptr;
    CheckStruct("options", options);
    *engine = std::make_unique<sfumato_engine>(sfumato::OpenEngine(*options)).release();
  });
}

sfumato_status sfumato_load_progress(const char* model_directory, int64_t* bytes_read, int64_t* bytes_total) {
  return Guard(last_error_without_engine, [&] {
    if (model_directory == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, "model_directory", "null", "a directory");
    if (bytes_read == nullptr || bytes_total == nullptr)
      Fail(SFUMATO_INVALID_ARGUMENT, "bytes_read or bytes_total", "null", "a pointer");
    sfumato::LoadProgress::Bytes bytes;
    if (!sfumato::LoadProgress::Find(model_directory, bytes))
      Fail(SFUMATO_NOT_FOUND, "model_directory", model_directory, "one that sfumato_open is loading weights from");
    *bytes_read = bytes.read;
    *bytes_total = bytes.total;
  });
}

sfumato_status sfumato_get_info(const sfumato_engine* engine, sfumato_info* info) {
  return WithEngine(engine, [&] {
    CheckStruct("info", info);
    *info = engine->engine->Info();
  });
}

sfumato_status sfumato_get_buffers(sfumato_engine* engine, sfumato_buffers* buffers) {
  return WithEngine(engine, [&] {
    CheckStruct("buffers", buffers);
    *buffers = engine->engine->Buffers();
  });
}

sfumato_status sfumato_plan(sfumato_engine* engine, int32_t item_count) {
  return WithEngine(engine, [&] { engine->engine->Plan(item_count); });
}

sfumato_status sfumato_run(sfumato_engine* engine) {
  return WithEngine(engine, [&] { engine->engine->Run(nullptr, 0); });
}

sfumato_status sfumato_run_logits(sfumato_engine* engine, float* logits, uint64_t capacity) {
  return WithEngine(engine, [&] {
    if (logits == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, "logits", "null", "a pointer");
    engine->engine->Run(logits, capacity);
  });
}

sfumato_status sfumato_copy_state(sfumato_engine* engine, int32_t from_slot, int32_t to_slot) {
  return WithEngine(engine, [&] { engine->engine->CopyState(from_slot, to_slot); });
}

sfumato_status sfumato_reset_slot(sfumato_engine* engine, int32_t slot) {
  return WithEngine(engine, [&] { engine->engine->ResetSlot(slot); });
}

sfumato_status sfumato_profile(sfumato_engine* engine, sfumato_profile_entry* entries, int32_t* count, int32_t reset) {
  return WithEngine(engine, [&] {
    if (count == nullptr) Fail(SFUMATO_INVALID_ARGUMENT, "count", "null", "a pointer");
    CheckRange("count", *count, 0, 1 << 20);
    if (entries == nullptr && *count > 0) Fail(SFUMATO_INVALID_ARGUMENT, "entries", "null", "room for count entries");
    *count = engine->engine->ReadProfile(entries, *count, reset != 0);
  });
}

const char* sfumato_last_error(const sfumato_engine* engine) {
  return engine == nullptr ? last_error_without_engine.c_str() : engine->last_error.c_str();
}

void sfumato_close(sfumato_engine* engine) { delete engine; }

}  // extern "C"
