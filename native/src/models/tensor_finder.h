#ifndef SFUMATO_MODELS_TENSOR_FINDER_H_
#define SFUMATO_MODELS_TENSOR_FINDER_H_

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "ops/backend.h"

namespace sfumato {

/// Looks up all tensors of a model before any is used, so that one error names everything that is missing, misshapen or
/// left over.
class TensorFinder {
 public:
  explicit TensorFinder(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  TensorView operator()(const std::string& name, const std::vector<int64_t>& shape) {
    found_.insert(name);
    TensorView tensor = checkpoint_.Find(name, shape, problems_);
    if (tensor.data != nullptr) parameters_ += tensor.size();
    return tensor;
  }

  /// Throws DATA_LOSS unless all were found and no others are there but those with an ignored prefix.
  void Finish(const std::vector<std::string>& ignored_prefixes = {}) {
    for (const std::string& name : checkpoint_.TensorNames()) {
      const auto starts = [&name](const std::string& prefix) { return name.starts_with(prefix); };
      if (found_.contains(name) || std::any_of(ignored_prefixes.begin(), ignored_prefixes.end(), starts)) continue;
      problems_.Add(name, "in the file", "no tensor of that name by config.json");
    }
    problems_.ThrowIfAny();
  }

  int64_t parameters() const { return parameters_; }

 private:
  const Checkpoint& checkpoint_;
  ProblemList problems_;
  std::set<std::string> found_;
  int64_t parameters_ = 0;
};

/// A tensor's numbers on the backend, as float.
inline std::unique_ptr<Buffer> UploadFloats(Backend& backend, const TensorView& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.size()));
  ReadFloats(tensor, 0, tensor.size(), values.data());
  return backend.Upload(values);
}

/// Numbers of several tensors, one after the other.
inline std::unique_ptr<Buffer> UploadFloats(Backend& backend, const std::vector<TensorView>& tensors) {
  std::vector<float> values;
  for (const TensorView& tensor : tensors) {
    const size_t before = values.size();
    values.resize(before + static_cast<size_t>(tensor.size()));
    ReadFloats(tensor, 0, tensor.size(), values.data() + before);
  }
  return backend.Upload(values);
}

}  // namespace sfumato

#endif  // SFUMATO_MODELS_TENSOR_FINDER_H_
