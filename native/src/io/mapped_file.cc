#include "io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace sfumato {

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    Fail(errno == ENOENT || errno == ENOTDIR ? SFUMATO_NOT_FOUND : SFUMATO_DATA_LOSS, path, std::strerror(errno),
         "a readable file");
  }
  struct stat status = {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    Fail(SFUMATO_NOT_FOUND, path, "not a regular file", "a readable file");
  }
  size_ = static_cast<uint64_t>(status.st_size);
  if (size_ > 0) {
    void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    const int error = errno;
    close(file);
    if (mapped == MAP_FAILED) Fail(SFUMATO_DATA_LOSS, path, std::strerror(error), "a file that can be mapped");
    data_ = static_cast<const uint8_t*>(mapped);
  } else {
    close(file);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

}  // namespace sfumato
