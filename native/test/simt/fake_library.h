#ifndef SFUMATO_TEST_SIMT_FAKE_LIBRARY_H_
#define SFUMATO_TEST_SIMT_FAKE_LIBRARY_H_

#include <dlfcn.h>

#include <memory>

#include "cuda/cublas_lt.h"
#include "simt/harness.h"
#include "simt/libraries/fake_cublaslt.h"

namespace sfumato::test {

/// The library that stands for cuBLASLt, set back to how it behaves at first, and checking memory as kernels do.
class FakeLibrary {
 public:
  static constexpr const char* kFile = SFUMATO_TEST_LIBRARIES "/libfake_cublaslt.so";
  /// Lacks a function.
  static constexpr const char* kPartialFile = SFUMATO_TEST_LIBRARIES "/libfake_cublaslt_partial.so";

  FakeLibrary() : library_(dlopen(kFile, RTLD_NOW | RTLD_LOCAL), dlclose) {
    if (library_ == nullptr) throw std::runtime_error(dlerror());
    fake_ = reinterpret_cast<FakeCublasLt* (*)()>(dlsym(library_.get(), "fake_cublaslt"))();
    *fake_ = {};
    fake_->check_memory = [](const void* memory, int64_t bytes, int64_t alignment) {
      cuda::harness::CheckGlobal(memory, memory, bytes, alignment);
    };
  }

  FakeCublasLt* operator->() const { return fake_; }
  std::shared_ptr<const cuda::CublasLt> Load() const { return std::make_shared<cuda::CublasLt>(kFile); }

 private:
  std::unique_ptr<void, int (*)(void*)> library_;
  FakeCublasLt* fake_ = nullptr;
};

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_SIMT_FAKE_LIBRARY_H_
