// Reads one trial folder, whatever state it is in.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "assay/core/error.h"
#include "assay/store/files.h"
#include "assay/store/record_log.h"
#include "assay/store/study_folder.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

// Holds all that one checkpoint's meters record, and the steps before it.
constexpr int64_t kTailBytes = 1 << 20;

std::string tail_of(const fs::path& path, bool& cut) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto size = static_cast<int64_t>(in.tellg());
  const int64_t from = std::max<int64_t>(0, size - kTailBytes);
  cut = from > 0;
  std::string text(static_cast<size_t>(size - from), '\0');
  in.seekg(from);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

// For progress, of all measurements only losses count; the others are not worth parsing.
bool tells_progress(std::string_view line) {
  return line.find("\"kind\":\"measurement\"") == std::string_view::npos ||
         line.find("\"loss_per_target\"") != std::string_view::npos;
}

// The whole lines among the last kTailBytes that tell of progress; broken ones are left out.
std::vector<nlohmann::json> last_lines(const fs::path& path) {
  bool cut = false;
  const std::string text = tail_of(path, cut);
  std::vector<nlohmann::json> lines;
  size_t begin = cut ? text.find('\n') + 1 : 0;
  for (size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (!tells_progress(std::string_view(text).substr(begin, end - begin))) continue;
    auto line = nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                      text.begin() + static_cast<std::ptrdiff_t>(end), nullptr,
                                      /*allow_exceptions=*/false);
    if (line.is_object()) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<nlohmann::json> lines_of(const fs::path& path, ReadDepth depth, TrialFolder& trial) {
  if (depth == ReadDepth::progress) return last_lines(path);
  try {
    Records records = read_records(path);
    if (records.torn && !trial.ended()) {
      trial.problems.push_back(fmt::format("{}: the last line is incomplete and was left out",
                                           path.filename().string()));
    } else if (records.torn) {
      trial.problems.push_back(
          fmt::format("{}: the last line is incomplete although the trial has ended",
                      path.filename().string()));
    }
    std::erase_if(records.lines, [](const nlohmann::json& line) { return !line.is_object(); });
    return std::move(records.lines);
  } catch (const Error& error) {
    trial.problems.emplace_back(error.what());
    return last_lines(path);
  }
}

double number(const nlohmann::json& line, const char* key) {
  const auto it = line.find(key);
  return it != line.end() && it->is_number() ? it->get<double>()
                                             : std::numeric_limits<double>::quiet_NaN();
}

void take_record(TrialFolder& trial, const nlohmann::json& line) {
  const nlohmann::json kind = line.value("kind", nlohmann::json());
  if (kind == "step") {
    trial.losses.push_back({line.at("step"), number(line, "loss"), number(line, "learning_rate"),
                            number(line, "flops")});
    trial.step = std::max(trial.step, trial.losses.back().step);
  } else if (kind == "measurement") {
    trial.measurements.push_back(measurement_from_json(line));
  } else if (kind == "ledger") {
    trial.ledger = ledger_from_json(line);
    trial.step = std::max(trial.step, trial.ledger->step);
  } else if (kind == "note") {
    trial.notes.push_back(line.value("text", ""));
  }
}

void read_records_into(TrialFolder& trial, ReadDepth depth) {
  for (const auto& line : lines_of(trial.folder / "records.jsonl", depth, trial)) {
    try {
      take_record(trial, line);
    } catch (const nlohmann::json::exception& error) {
      trial.problems.push_back(fmt::format("records.jsonl: {}", error.what()));
    }
  }
  if (depth == ReadDepth::progress && trial.losses.size() > 1)
    trial.losses.erase(trial.losses.begin(), trial.losses.end() - 1);
}

// What was measured after training stands for what the meters recorded of the same thing, and a
// later measurement for an earlier one; what it cost is added to what the ledger says.
void read_measures(TrialFolder& trial) {
  const auto key = [](const Measurement& m) {
    return std::tuple(m.meter, m.quantity, m.step, m.labels);
  };
  std::map<decltype(key(Measurement{})), size_t> places;
  for (const auto& line : lines_of(trial.folder / "measures.jsonl", ReadDepth::full, trial)) {
    try {
      if (trial.ledger) trial.ledger->measuring_flops += line.value("measuring_flops", 0.0);
      if (line.at("kind") != "measurement") continue;
      if (places.empty())
        for (size_t i = 0; i < trial.measurements.size(); ++i)
          places[key(trial.measurements[i])] = i;
      Measurement m = measurement_from_json(line);
      const auto [place, is_new] = places.emplace(key(m), trial.measurements.size());
      if (is_new)
        trial.measurements.push_back(std::move(m));
      else
        trial.measurements[place->second] = std::move(m);
    } catch (const nlohmann::json::exception& error) {
      trial.problems.push_back(fmt::format("measures.jsonl: {}", error.what()));
    }
  }
}

// `seconds` counts from the start of a process, so a fall begins the next process's share.
void read_timing(TrialFolder& trial, ReadDepth depth) {
  double last = 0;
  for (const auto& line : lines_of(trial.folder / "timing.jsonl", depth, trial)) {
    const double seconds = number(line, "seconds"), rate = number(line, "steps_per_second");
    const double step = number(line, "step");
    if (std::isfinite(seconds)) {
      trial.seconds += seconds >= last ? seconds - last : seconds;
      last = seconds;
    }
    if (std::isfinite(rate)) trial.steps_per_second = rate;
    if (!trial.ended() && std::isfinite(step))
      trial.step = std::max(trial.step, static_cast<int64_t>(step));
  }
}

std::shared_ptr<const nlohmann::json> json_file(TrialFolder& trial, const char* name) {
  const fs::path path = trial.folder / name;
  if (!fs::exists(path)) return std::make_shared<const nlohmann::json>(nlohmann::json::object());
  auto json = nlohmann::json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    trial.problems.push_back(fmt::format("{} is not a JSON object", name));
    json = nlohmann::json::object();
  }
  return std::make_shared<const nlohmann::json>(std::move(json));
}

void read_outcome(TrialFolder& trial) {
  const auto json = json_file(trial, "outcome.json");
  if (json->empty()) return;
  try {
    trial.outcome = outcome_from_json(*json);
    trial.status = trial.outcome->status;
    trial.step = trial.outcome->step;
  } catch (const nlohmann::json::exception& error) {
    trial.problems.push_back(fmt::format("outcome.json: {}", error.what()));
  }
}

}  // namespace

TrialFolder read_trial_folder(const fs::path& folder, ReadDepth depth) {
  TrialFolder trial;
  trial.folder = folder;
  trial.id = trial.name = folder.filename().string();
  trial.config = json_file(trial, "config.json");
  trial.environment = json_file(trial, "environment.json");
  if (trial.config->contains("name") && (*trial.config)["name"].is_string())
    trial.name = (*trial.config)["name"];
  read_outcome(trial);
  read_records_into(trial, depth);
  if (depth == ReadDepth::full) read_measures(trial);
  read_timing(trial, depth);
  if (trial.ended()) return trial;
  trial.running_on = lock_holder(folder);
  if (!trial.running_on.empty()) {
    trial.status = "running";
  } else if (trial.step > 0 || fs::exists(folder / "records.jsonl")) {
    trial.status = "stopped";
  }
  return trial;
}

std::string last_words(const fs::path& trial_folder, int lines) {
  bool cut = false;
  std::string text = tail_of(trial_folder / "log.txt", cut);
  // A crash can leave half a character: JSON and terminals want valid UTF-8.
  text = nlohmann::json::parse(
             nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
             .get<std::string>();
  std::vector<std::string> found;
  while (!text.empty() && static_cast<int>(found.size()) < lines) {
    const size_t newline = text.find_last_of('\n');
    std::string line = newline == std::string::npos ? text : text.substr(newline + 1);
    text.resize(newline == std::string::npos ? 0 : newline);
    const size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string::npos) found.push_back(line.substr(first));
  }
  std::ranges::reverse(found);
  return fmt::format("{}", fmt::join(found, "\n"));
}

}  // namespace assay
