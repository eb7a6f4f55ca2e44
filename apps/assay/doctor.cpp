// assay doctor: what to look at first when something does not work.
#include <fmt/format.h>
#include <unistd.h>

#include <langinfo.h>
#include <algorithm>
#include <clocale>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/worker_answer.h"
#include "assay/core/error.h"
#include "assay/core/version.h"
#include "assay/schedule/worker_process.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

double memory_bytes() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGE_SIZE));
}

Json own_half() {
  std::error_code ignored;
  const fs::space_info space = fs::space(".", ignored);
  std::setlocale(LC_CTYPE, "");
  return {{"version", kVersion},
          {"build", kBuild},
          {"cores", std::max(1U, std::thread::hardware_concurrency())},
          {"memory_bytes", memory_bytes()},
          {"folder", fs::current_path().string()},
          {"free_disk_bytes", ignored ? Json(nullptr) : Json(space.available)},
          {"locale_charset", ::nl_langinfo(CODESET)}};
}

// Adds the worker's half, or why there is none.
void ask_worker(Json& report, Json& problems) {
  try {
    const fs::path worker = find_worker();
    report["worker_path"] = worker.string();
    report["worker"] = worker_answer(worker, {"doctor", "--json"});
    const std::string build = report["worker"].value("build", "");
    if (!build.empty() && build != kBuild) {
      problems.push_back(
          fmt::format("assay is build {}, the worker is build {}: build both anew", kBuild, build));
    }
  } catch (const Error& error) {
    problems.push_back(fmt::format("{} ({})", error.what(), error.help()));
  }
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add_rows(std::vector<std::vector<std::string>>& rows, const Json& object,
              const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      add_rows(rows, value, prefix + key + ".");
    } else if (key.ends_with("_bytes") && value.is_number()) {
      rows.push_back({prefix + key.substr(0, key.size() - 6),
                      fmt::format("{:.1f} GB", value.get<double>() / 1e9)});
    } else {
      rows.push_back({prefix + key, value_text(value)});
    }
  }
}

int doctor(const Globals& globals) {
  Json report = own_half(), problems = Json::array();
  ask_worker(report, problems);
  if (report["free_disk_bytes"].is_number() && report["free_disk_bytes"].get<double>() < 1e9)
    problems.push_back("less than 1 GB of disk is free here");
  if (report["locale_charset"] != "UTF-8")
    problems.push_back("the locale is not UTF-8: some signs may look wrong (try LC_ALL=C.UTF-8)");
  report["problems"] = problems;
  const bool usable = report.contains("worker");
  if (globals.json) {
    print_json(report);
  } else {
    report.erase("problems");
    std::vector<std::vector<std::string>> rows{{"what", "value"}};
    add_rows(rows, report, "");
    std::fputs(table(rows).c_str(), stdout);
    for (const Json& problem : problems) warn(problem.get<std::string>(), globals.color);
    if (problems.empty()) std::puts("\nNo problem found.");
  }
  return static_cast<int>(usable ? ExitCode::success : ExitCode::environment);
}

}  // namespace

void add_doctor(CLI::App& app, const Globals& globals, Command& run) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Versions, cores, disk, devices: what to look at when something does not work");
  command->footer("Example: assay doctor --json > doctor.json");
  command->callback([&globals, &run] { run = [&globals] { return doctor(globals); }; });
}

}  // namespace assay::cli
