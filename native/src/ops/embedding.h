#ifndef SFUMATO_OPS_EMBEDDING_H_
#define SFUMATO_OPS_EMBEDDING_H_

#include <cstdint>

namespace sfumato {

/// Rows of numbers on the device, in the format of the file.
class EmbeddingTable {
 public:
  virtual ~EmbeddingTable() = default;

  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  virtual int64_t bytes() const = 0;

 protected:
  EmbeddingTable(int64_t rows, int64_t width) : rows_(rows), width_(width) {}

 private:
  int64_t rows_;
  int64_t width_;
};

/// output = table[index] for each row, stored or added.
struct EmbeddingArguments {
  const EmbeddingTable* table;
  const int32_t* indices;  // [rows]
  int64_t rows;
  bool add;
  float* output;  // [rows, width]
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_EMBEDDING_H_
