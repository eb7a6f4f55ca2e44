// One question, one JSON document.
#include "apps/assay/worker_answer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

nlohmann::json parsed(const std::filesystem::path& worker,
                      const std::vector<std::string>& arguments, const Captured& captured) {
  auto json = nlohmann::json::parse(captured.output, nullptr, /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("error")) throw error_from_json(json["error"]);
  if (json.is_discarded() || captured.end != ProcessEnd{}) {
    throw Error("environment.worker",
                fmt::format("{} {} gave no answer ({} {})", worker.string(), arguments.front(),
                            captured.end.by_signal ? "signal" : "exit status", captured.end.code),
                "its own words stand above; `make build` builds it anew");
  }
  return json;
}

}  // namespace

nlohmann::json worker_answer(const std::filesystem::path& worker,
                             const std::vector<std::string>& arguments) {
  return parsed(worker, arguments, capture(worker, arguments));
}

nlohmann::json interruptible_answer(const std::filesystem::path& worker,
                                    const std::vector<std::string>& arguments) {
  const Captured captured = capture(worker, arguments, Signals::passed_on);
  constexpr int kBySignal = 128;
  const int code = captured.end.by_signal ? kBySignal + captured.end.code : captured.end.code;
  for (const ExitCode interrupted : {ExitCode::interrupted, ExitCode::terminated})
    if (code == static_cast<int>(interrupted)) throw Interrupted{code};
  return parsed(worker, arguments, captured);
}

}  // namespace assay::cli
