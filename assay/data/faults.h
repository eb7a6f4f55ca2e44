// What happens to input that cannot be used: stop with one clear error, or skip and count.
#pragma once

#include <string>
#include <vector>

#include "assay/core/options.h"

namespace assay {

/// The option that every dataset of many files or entries has.
inline Option on_error_option() {
  return declare::choice("on_error", "stop", {"stop", "skip"},
                         "What an entry that cannot be used does: end the trial with an error, or "
                         "be left out and counted.");
}

class Faults {
 public:
  explicit Faults(bool skip) : skip_(skip) {}

  bool skip() const { return skip_; }
  int64_t skipped() const { return skipped_; }
  /// The first few reasons in full, then how many more.
  std::vector<std::string> notes() const;

  /// Throws `error`, or counts it.
  void report(const Error& error);

 private:
  bool skip_;
  int64_t skipped_ = 0;
  std::vector<std::string> reasons_;
};

}  // namespace assay
