#ifndef SFUMATO_IO_CHECKPOINT_H_
#define SFUMATO_IO_CHECKPOINT_H_

#include <map>
#include <string>
#include <vector>

#include "io/config.h"
#include "io/problem_list.h"
#include "io/safetensors.h"

namespace sfumato {

/// A model directory in Hugging Face's layout: config.json and model.safetensors, or model.safetensors.index.json with
/// its shards.
class Checkpoint {
 public:
  /// Throws NOT_FOUND or DATA_LOSS.
  explicit Checkpoint(const std::string& directory);

  const Config& config() const { return config_; }
  bool Has(const std::string& name) const { return tensors_.contains(name); }

  /// Bytes of all tensors that the core reads.
  int64_t bytes() const;

  /// Names of all tensors, those of types that the core doesn't read included.
  std::vector<std::string> TensorNames() const;

  /// The tensor of that name and shape. When there is none, notes the problem and returns an empty view.
  TensorView Find(const std::string& name, const std::vector<int64_t>& shape, ProblemList& problems) const;

 private:
  void AddShard(const std::string& path);

  std::string directory_;
  Config config_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> unreadable_;
};

}  // namespace sfumato

#endif  // SFUMATO_IO_CHECKPOINT_H_
