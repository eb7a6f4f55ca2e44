// Words of our own outcomes first, then those of other trackers.
#include "assay/law/table/run_status.h"

#include <algorithm>
#include <array>
#include <utility>

#include "assay/law/table/number.h"

namespace assay {
namespace {

using Entry = std::pair<std::string_view, RunStatus>;

constexpr auto kStatusWords = std::to_array<std::pair<std::string_view, RunStatus>>({
    {"completed", RunStatus::completed},    {"", RunStatus::completed},
    {"ok", RunStatus::completed},           {"done", RunStatus::completed},
    {"finished", RunStatus::completed},     {"success", RunStatus::completed},
    {"succeeded", RunStatus::completed},    {"measured", RunStatus::completed},
    {"timed_out", RunStatus::unfinished},   {"timeout", RunStatus::unfinished},
    {"interrupted", RunStatus::unfinished}, {"undertrained", RunStatus::unfinished},
    {"upper_bound", RunStatus::unfinished}, {"censored", RunStatus::unfinished},
    {"unfinished", RunStatus::unfinished},  {"running", RunStatus::unfinished},
    {"killed", RunStatus::unfinished},      {"preempted", RunStatus::unfinished},
    {"diverged", RunStatus::diverged},      {"nan", RunStatus::diverged},
    {"failed", RunStatus::failed},          {"crashed", RunStatus::failed},
    {"error", RunStatus::failed},           {"missing", RunStatus::failed},
});

// Of a column that is called `diverged`.
constexpr auto kDivergedWords = std::to_array<std::pair<std::string_view, RunStatus>>({
    {"false", RunStatus::completed},
    {"0", RunStatus::completed},
    {"no", RunStatus::completed},
    {"true", RunStatus::diverged},
    {"1", RunStatus::diverged},
    {"yes", RunStatus::diverged},
});

}  // namespace

std::optional<RunStatus> run_status(std::string_view word, bool diverged_flag) {
  std::string plain = lower_case(word);
  std::ranges::replace(plain, ' ', '_');
  std::ranges::replace(plain, '-', '_');
  if (const auto found = std::ranges::find(kDivergedWords, plain, &Entry::first);
      diverged_flag && found != kDivergedWords.end())
    return found->second;
  const auto found = std::ranges::find(kStatusWords, plain, &Entry::first);
  if (found == kStatusWords.end()) return {};
  return found->second;
}

std::vector<std::string> status_words() {
  std::vector<std::string> words;
  for (const auto& [word, status] : kStatusWords)
    if (!word.empty()) words.emplace_back(word);
  return words;
}

}  // namespace assay
