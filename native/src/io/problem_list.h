#ifndef SFUMATO_IO_PROBLEM_LIST_H_
#define SFUMATO_IO_PROBLEM_LIST_H_

#include <string>
#include <vector>

#include "base/error.h"

namespace sfumato {

/// Collects what is wrong with a file, so that one error names everything.
class ProblemList {
 public:
  static constexpr size_t kShown = 20;

  void Add(const std::string& name, const std::string& value, const std::string& expected) {
    if (problems_.size() < kShown) problems_.push_back(name + ": " + value + " (expected: " + expected + ")");
    ++count_;
  }

  bool empty() const { return count_ == 0; }

  /// Throws DATA_LOSS with one line for each problem, the first twenty in full.
  void ThrowIfAny() const {
    if (empty()) return;
    std::string message;
    for (const std::string& problem : problems_) message += (message.empty() ? "" : "\n") + problem;
    if (count_ > problems_.size()) message += "\nand " + std::to_string(count_ - problems_.size()) + " more";
    throw Error(SFUMATO_DATA_LOSS, message);
  }

 private:
  std::vector<std::string> problems_;
  size_t count_ = 0;
};

}  // namespace sfumato

#endif  // SFUMATO_IO_PROBLEM_LIST_H_
