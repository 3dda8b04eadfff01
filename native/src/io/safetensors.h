#ifndef SFUMATO_IO_SAFETENSORS_H_
#define SFUMATO_IO_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/mapped_file.h"

namespace sfumato {

/// Number formats of tensors that the core can read.
enum class DataType { kFloat32, kBfloat16, kFloat16 };

int64_t BytesPerNumber(DataType type);

/// A tensor of a file, or of part of one; rows are the first dimension. Points into the file's memory, unaligned.
struct TensorView {
  DataType type = DataType::kFloat32;
  std::vector<int64_t> shape;
  const uint8_t* data = nullptr;

  int64_t size() const;
};

/// Converts size numbers, starting with the given one, to float.
void ReadFloats(const TensorView& tensor, int64_t first, int64_t size, float* out);

/// What a safetensors file holds. Tensors of types that the core doesn't read are kept by name and type only.
struct SafetensorsContents {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> unreadable;
};

/// Checks the bytes of a file completely: the header's length and form, each tensor's type, shape, place and length, and
/// that the tensors fill the file without gap or overlap. Throws DATA_LOSS; all faulty tensors are named at once.
SafetensorsContents ParseSafetensors(const uint8_t* bytes, uint64_t size, const std::string& path);

/// A safetensors file in memory, checked when it opens.
class SafetensorsFile {
 public:
  /// Throws NOT_FOUND or DATA_LOSS.
  explicit SafetensorsFile(const std::string& path);

  const std::map<std::string, TensorView>& tensors() const { return contents_.tensors; }
  const std::map<std::string, std::string>& unreadable() const { return contents_.unreadable; }

  const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  SafetensorsContents contents_;
};

}  // namespace sfumato

#endif  // SFUMATO_IO_SAFETENSORS_H_
