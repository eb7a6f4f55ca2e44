// What became of a run, in the words that people use.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

enum class RunStatus {
  completed,
  unfinished,  // its loss is an upper bound
  diverged,
  failed,  // nothing was measured
};

/// Letter case, blanks and hyphens do not count; an empty word is `completed`. `diverged_flag`: the
/// word answers whether the run diverged, so true, yes and 1 say so. Nothing for an unknown word.
std::optional<RunStatus> run_status(std::string_view word, bool diverged_flag);

/// All words that are known, for suggestions.
std::vector<std::string> status_words();

}  // namespace assay
