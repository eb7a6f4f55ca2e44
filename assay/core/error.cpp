#include "assay/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace assay {
namespace {

std::string line_of(const Place& place) {
  if (!place.source || place.line <= 0) return {};
  std::istringstream in(place.source->text);
  std::string line;
  for (int i = 0; i < place.line; ++i)
    if (!std::getline(in, line)) return {};
  return line;
}

/// Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours, which
/// are the commonest slips of the fingers.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

Error::Error(std::string code, const std::string& message, std::string help, Place place)
    : std::runtime_error(message),
      code_(std::move(code)),
      help_(std::move(help)),
      place_(std::move(place)) {}

ExitCode Error::exit_code() const {
  const std::string domain = code_.substr(0, code_.find('.'));
  if (domain == "config" || domain == "usage" || domain == "plan") return ExitCode::usage;
  if (domain == "environment") return ExitCode::environment;
  return ExitCode::failed;
}

std::string render(const Error& error, bool color) {
  const std::string red = color ? "\x1b[1;31m" : "", blue = color ? "\x1b[1;34m" : "",
                    bold = color ? "\x1b[1m" : "", off = color ? "\x1b[0m" : "";
  std::string out =
      fmt::format("{}error[{}]{}: {}{}{}\n", red, error.code(), off, bold, error.what(), off);
  const Place& place = error.place();
  if (place.source) {
    const std::string number = place.line > 0 ? std::to_string(place.line) : "";
    const std::string margin(number.size(), ' ');
    out += fmt::format("{}{}-->{} {}", margin, blue, off, place.source->path);
    if (place.line > 0) out += fmt::format(":{}:{}", place.line, place.column);
    out += '\n';
    const std::string line = line_of(place);
    if (!line.empty()) {
      const auto indent = static_cast<size_t>(std::max(0, place.column - 1));
      const auto carets = static_cast<size_t>(std::max(1, place.length));
      out +=
          fmt::format("{0} {1}|{2}\n{3} {1}|{2} {4}\n{0} {1}|{2} {5}{6}{7}{2}\n", margin, blue, off,
                      number, line, std::string(indent, ' '), red, std::string(carets, '^'));
    }
  }
  if (!error.help().empty()) out += fmt::format("  {}= help:{} {}\n", blue, off, error.help());
  return out;
}

nlohmann::json to_json(const Error& error) {
  nlohmann::json json{{"code", error.code()}, {"message", error.what()}, {"help", error.help()}};
  if (const Place& place = error.place(); place.source) {
    json["file"] = place.source->path;
    json["line"] = place.line;
    json["column"] = place.column;
    json["length"] = place.length;
    json["text"] = line_of(place);
  }
  return json;
}

Error error_from_json(const nlohmann::json& json) {
  Place place;
  if (json.contains("file")) {
    place.line = json.value("line", 0);
    place.column = json.value("column", 0);
    place.length = json.value("length", 1);
    // Only the offending line travels; the lines before it are blank.
    const auto before = static_cast<size_t>(std::max(0, place.line - 1));
    place.source = std::make_shared<Source>(
        Source{json.at("file"), std::string(before, '\n') + json.value("text", "")});
  }
  return Error(json.at("code"), json.at("message").get<std::string>(), json.value("help", ""),
               place);
}

std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  size_t best_distance = (name.size() + 2) / 3 + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  if (!best) return std::nullopt;
  return *best;
}

std::string suggest(std::string_view name, const std::vector<std::string>& candidates) {
  if (const auto near = nearest_name(name, candidates))
    return fmt::format("did you mean `{}`?", *near);
  if (candidates.empty()) return {};
  return fmt::format("known: {}", fmt::join(candidates, ", "));
}

}  // namespace assay
