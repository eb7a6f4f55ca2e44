#include "apps/assay/preregister.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/assay/console.h"
#include "assay/store/files.h"

namespace assay::cli {

Preregistration obey(CLI::App& command, const std::string& path) {
  Preregistration file = read_preregistration(path);
  for (const FrozenOption& frozen : frozen_options()) {
    CLI::Option& option = *command.get_option(frozen.name);
    if (option.count() > 0) check_against(file, frozen, option.results());
    option.clear();
    if (file.settings.at(frozen.name).empty()) continue;
    option.add_result(file.settings.at(frozen.name));
    option.run_callback();
  }
  return file;
}

void refuse_frozen(const std::string& path) {
  if (std::filesystem::exists(path))
    throw Error("usage.preregistration_exists", fmt::format("{} exists already", path),
                "what was decided beforehand is not overwritten: give another name");
}

void freeze(const CLI::App& command, const std::string& path) {
  refuse_frozen(path);
  std::map<std::string, std::vector<std::string>> settings;
  for (const FrozenOption& frozen : frozen_options()) {
    const CLI::Option& option = *command.get_option(frozen.name);
    settings[frozen.name] = option.count() > 0 ? option.results() : frozen.fallback;
  }
  write_atomically(path, preregistration_text(settings));
}

std::string preregistration_summary(const Preregistration& file,
                                    const std::vector<TestedPrediction>& tested) {
  std::string text = fmt::format("preregistered in {}{}, sha256 {}\n", file.path,
                                 file.name.empty() ? "" : " (" + file.name + ")", file.sha256);
  for (const TestedPrediction& of : tested) {
    const FrozenPrediction& foretold = of.prediction;
    text += fmt::format("foretold at {}{}: {:.5g} to {:.5g}; ", foretold.at(),
                        foretold.point.group.empty() ? "" : " of " + foretold.point.group,
                        foretold.interval.low, foretold.interval.high);
    text += of.rows == 0 ? "no run there yet\n"
                         : fmt::format("{} of {} inside\n", of.inside, plural(of.rows, "run"));
  }
  return text;
}

}  // namespace assay::cli
