// Errors that a user can act on: a stable code, what is wrong, where, and what to do about it.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Exit codes of both executables (docs/cli.md).
enum class ExitCode : int {
  success = 0,
  failed = 1,         // at run time: data, disk, a worker
  usage = 2,          // wrong use of the command line, or a wrong study file
  incomplete = 3,     // finished, but some trials did not complete
  inconclusive = 4,   // under --require
  environment = 5,    // locked folder, full disk, missing device
  interrupted = 130,  // SIGINT, resumable
  terminated = 143,   // SIGTERM, resumable
};

/// A text that was read, kept so that an error can show the offending line.
struct Source {
  std::string path;
  std::string text;
};

/// Where a value stands in a source. line and column count from 1; line 0 = nowhere.
struct Place {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;
  int length = 1;  // characters to underline
};

/// code: "domain.reason", e.g. "config.unknown_key"; the domain decides the exit code:
/// config, usage, plan -> 2; environment -> 5; anything else (data, store, trial, …) -> 1.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message, std::string help = {}, Place place = {});

  const std::string& code() const { return code_; }
  const std::string& help() const { return help_; }
  const Place& place() const { return place_; }
  ExitCode exit_code() const;

 private:
  std::string code_, help_;
  Place place_;
};

/// The form of rustc: "error[code]: message", file:line:column, the line, a caret, the help.
std::string render(const Error& error, bool color = false);

/// {"code", "message", "help", "file", "line", "column", "length", "text"}; `text` = the offending
/// line.
nlohmann::json to_json(const Error& error);
Error error_from_json(const nlohmann::json& json);

/// The candidate nearest to `name` by edit distance, or nothing if all are further than a third of
/// it.
std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& candidates);

/// "did you mean `x`?" or "known: a, b, c": the help for an unknown name.
std::string suggest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace assay
