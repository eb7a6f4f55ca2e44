// Exit status, outcome.json and last words to a verdict.
#include "assay/schedule/verdict.h"

#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "assay/store/study_folder.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

std::optional<Error> last_error(const fs::path& trial) {
  const auto line =
      nlohmann::json::parse(last_words(trial, 1), nullptr, /*allow_exceptions=*/false);
  if (!line.is_object() || !line.contains("error")) return std::nullopt;
  try {
    return error_from_json(line["error"]);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string describe(const fs::path& trial, const ProcessEnd& end) {
  const std::string how = end.by_signal ? fmt::format("killed by {}", signal_name(end.code))
                                        : fmt::format("exit status {} without outcome", end.code);
  const std::string words = last_words(trial);
  return words.empty() ? how : fmt::format("{}; last words: {}", how, words);
}

}  // namespace

WorkerEnd judge(const fs::path& trial, const ProcessEnd& end) {
  if (fs::exists(trial / "outcome.json")) return {};
  const bool asked = end.by_signal ? end.code == SIGTERM || end.code == SIGINT
                                   : end.code == static_cast<int>(ExitCode::interrupted) ||
                                         end.code == static_cast<int>(ExitCode::terminated);
  if (asked) return {Verdict::stopped, "stopped; the same command resumes it", {}};
  if (end.by_signal && end.code == SIGKILL) return {Verdict::killed, "killed by SIGKILL", {}};
  WorkerEnd result{Verdict::crashed, describe(trial, end), last_error(trial)};
  if (end.by_signal) return result;
  if (result.error) result.reason = result.error->what();
  if (end.code == static_cast<int>(ExitCode::environment)) {
    const bool locked = result.error && result.error->code() == "environment.locked";
    result.verdict = locked ? Verdict::locked : Verdict::environment;
  }
  return result;
}

}  // namespace assay
