// Counts what is skipped and remembers why.
#include "assay/data/faults.h"

#include <fmt/format.h>

namespace assay {
namespace {
constexpr size_t reasons_kept = 3;
}

void Faults::report(const Error& error) {
  if (!skip_) throw error;
  ++skipped_;
  if (reasons_.size() < reasons_kept)
    reasons_.push_back(fmt::format("skipped [{}]: {}", error.code(), error.what()));
}

std::vector<std::string> Faults::notes() const {
  std::vector<std::string> out = reasons_;
  const int64_t more = skipped_ - static_cast<int64_t>(reasons_.size());
  if (more > 0) out.push_back(fmt::format("and {} more entries skipped", more));
  return out;
}

}  // namespace assay
