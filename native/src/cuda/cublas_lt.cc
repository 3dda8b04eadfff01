#include "cuda/cublas_lt.h"

#include <dlfcn.h>

#include <cstdlib>

#include "base/error.h"

namespace sfumato::cuda {
namespace {

constexpr size_t kOldestMajor = 12;
constexpr size_t kNewestMajor = 13;
constexpr char kRemedy[] = ", or SFUMATO_CUBLASLT=off";

std::string TextOfVersion(size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

std::string LoaderError() {
  const char* error = dlerror();
  return error == nullptr ? "unknown" : error;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

CublasLt::CublasLt(const std::string& file)
    : file_(file), library_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL), dlclose) {
  if (library_ == nullptr)
    Fail(SFUMATO_FAILED_PRECONDITION, "cuBLASLt", LoaderError(), "a library that can be loaded" + std::string(kRemedy));
  size_t (*get_version)() = nullptr;
  Find(get_version, "cublasLtGetVersion");
  const size_t version = get_version();
  version_ = TextOfVersion(version);
  if (version / 10000 < kOldestMajor || version / 10000 > kNewestMajor) {
    Fail(SFUMATO_FAILED_PRECONDITION, "cuBLASLt", file_ + " of version " + version_,
         std::to_string(kOldestMajor) + ".0 to " + std::to_string(kNewestMajor) + ".x" + kRemedy);
  }
  Find(create, "cublasLtCreate");
  Find(destroy, "cublasLtDestroy");
  Find(create_descriptor, "cublasLtMatmulDescCreate");
  Find(destroy_descriptor, "cublasLtMatmulDescDestroy");
  Find(set_descriptor, "cublasLtMatmulDescSetAttribute");
  Find(create_layout, "cublasLtMatrixLayoutCreate");
  Find(destroy_layout, "cublasLtMatrixLayoutDestroy");
  Find(set_layout, "cublasLtMatrixLayoutSetAttribute");
  Find(create_preference, "cublasLtMatmulPreferenceCreate");
  Find(destroy_preference, "cublasLtMatmulPreferenceDestroy");
  Find(set_preference, "cublasLtMatmulPreferenceSetAttribute");
  Find(find_algorithms, "cublasLtMatmulAlgoGetHeuristic");
  Find(check_algorithm, "cublasLtMatmulAlgoCheck");
  Find(get_algorithm, "cublasLtMatmulAlgoConfigGetAttribute");
  Find(multiply, "cublasLtMatmul");
}

CublasLt::~CublasLt() = default;

template <class Function>
void CublasLt::Find(Function& function, const char* name) {
  void* symbol = dlsym(library_.get(), name);
  if (symbol == nullptr)
    Fail(SFUMATO_FAILED_PRECONDITION, "cuBLASLt", file_ + " without " + name, "a whole library" + std::string(kRemedy));
  function = reinterpret_cast<Function>(symbol);
}

std::vector<std::string> CublasLtPlaces() {
  std::vector<std::string> places;
  for (const char* folder : {"", "/usr/local/cuda/lib64/", "/opt/cuda/lib64/"}) {
    for (size_t major = kNewestMajor; major >= kOldestMajor; --major)
      places.push_back(std::string(folder) + "libcublasLt.so." + std::to_string(major));
  }
  return places;
}

std::shared_ptr<const CublasLt> LoadCublasLt(const std::vector<std::string>& places) {
  const std::string wish = Environment("SFUMATO_CUBLASLT");
  if (wish == "off") return nullptr;
  if (!wish.empty() && wish != "on") Fail(SFUMATO_INVALID_ARGUMENT, "SFUMATO_CUBLASLT", wish, "on, off or nothing");
  const std::string file = Environment("SFUMATO_CUBLASLT_LIBRARY");
  if (!file.empty()) return std::make_shared<CublasLt>(file);
  for (const std::string& place : places) {
    const std::unique_ptr<void, int (*)(void*)> found(dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL), dlclose);
    if (found != nullptr) return std::make_shared<CublasLt>(place);
  }
  if (wish == "on") {
    Fail(SFUMATO_FAILED_PRECONDITION, "SFUMATO_CUBLASLT", "on, and no libcublasLt was found",
         "the library in the loader's path or a CUDA toolkit's folder, or its file in SFUMATO_CUBLASLT_LIBRARY");
  }
  return nullptr;
}

}  // namespace sfumato::cuda
