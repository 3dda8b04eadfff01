#ifndef SFUMATO_IO_MAPPED_FILE_H_
#define SFUMATO_IO_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace sfumato {

/// A file in memory, read only. Used while a model loads and let go afterwards, so that a file that changes later can't
/// hurt.
class MappedFile {
 public:
  /// Throws NOT_FOUND when there is no such regular file, DATA_LOSS when it can't be read.
  explicit MappedFile(const std::string& path);
  ~MappedFile();

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  MappedFile(const MappedFile&) = delete;

  const uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace sfumato

#endif  // SFUMATO_IO_MAPPED_FILE_H_
