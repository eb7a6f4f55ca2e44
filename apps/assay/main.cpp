// assay: schedules, watches and reports studies. Knows nothing of LibTorch, so it starts at once.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "assay/core/error.h"
#include "assay/core/version.h"

namespace assay::cli {
namespace {

constexpr const char* kWelcome =
    "Assay tells which pretraining objective offers a model the most to learn, before the large "
    "run.\n\n"
    "  assay list studies                     studies that come with Assay\n"
    "  assay check studies/demo.toml          its trials, their cost, its mistakes\n"
    "  assay run studies/demo.toml -o demo    train and measure; again: resume\n"
    "  assay status demo                      how far it is\n"
    "  assay report demo                      one HTML page with the findings\n\n"
    "`assay --help` lists every command, `assay COMMAND --help` explains one.\n";

void add_globals(CLI::App& app, Globals& globals) {
  app.add_flag("--json", globals.json, "One JSON document on stdout instead of text");
  app.add_flag("-q,--quiet", globals.quiet, "No progress, notes or warnings");
  app.add_flag("-v,--verbose", globals.verbose, "More about what is done and why");
  app.add_flag("--no-progress", globals.no_progress, "No live line and no progress lines");
  app.add_option("--color", globals.color, "Colours on the terminal: auto, always or never")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

void collect_options(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
}

// The command and its subcommand that were given: {measure, snr}.
std::vector<const CLI::App*> chosen_commands(const CLI::App& app) {
  std::vector<const CLI::App*> chosen;
  for (const CLI::App* at = &app; !at->get_subcommands().empty(); chosen.push_back(at))
    at = at->get_subcommands().front();
  return chosen;
}

std::string name_of(const std::vector<const CLI::App*>& chosen) {
  std::string name;
  for (const CLI::App* command : chosen) name += (name.empty() ? "" : " ") + command->get_name();
  return name;
}

// CLI11 tells what it could not use; the nearest name is ours to find.
Error unexpected(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  const std::vector<const CLI::App*> chosen = chosen_commands(app);
  const std::string command = name_of(chosen);
  const std::string help =
      fmt::format("`assay {}{}--help` lists what there is", command, command.empty() ? "" : " ");
  const auto option = std::ranges::find_if(rest, [](auto& text) { return text.starts_with('-'); });
  const CLI::App& last = chosen.empty() ? app : *chosen.back();
  if (const auto names = command_names(last); !names.empty() && option != rest.begin()) {
    return Error("usage.unknown_command",
                 fmt::format("there is no command `{}{}{}`", command, command.empty() ? "" : " ",
                             rest.front()),
                 suggest(rest.front(), names));
  }
  if (option == rest.end()) {
    return Error("usage.unexpected_argument",
                 fmt::format("`assay {}` has no use for `{}`", command, rest.front()), help);
  }
  std::vector<std::string> names;
  collect_options(app, names);
  for (const CLI::App* part : chosen) collect_options(*part, names);
  const std::string name = option->substr(0, option->find('='));
  const auto near = nearest_name(name, names);
  return Error(
      "usage.unknown_option",
      fmt::format("`assay{}{}` has no option `{}`", command.empty() ? "" : " ", command, name),
      near ? fmt::format("did you mean `{}`?", *near) : help);
}

Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = chosen_commands(app);
  // `assay measure snrr x`: CLI11 misses the subcommand before it minds what stands in its place.
  const bool misnamed = !chosen.empty() && !command_names(*chosen.back()).empty();
  if ((dynamic_cast<const CLI::ExtrasError*>(&error) || misnamed) && !app.remaining(true).empty())
    return unexpected(app);
  const std::string command = name_of(chosen_commands(app));
  return Error(
      "usage.arguments", error.what(),
      fmt::format("`assay {}{}--help` shows an example", command, command.empty() ? "" : " "));
}

int report(const Error& error, const Globals& globals) {
  if (globals.json) print_json({{"error", to_json(error)}});
  const bool color = use_color(globals.color, stderr);
  std::fprintf(stderr, "%s", render(error, color).c_str());
  return static_cast<int>(error.exit_code());
}

/// What was printed may not have arrived: on a full disk, or where stdout is closed.
void check_stdout() {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return;
  throw Error("environment.stdout",
              fmt::format("cannot write what was found to stdout: {}",
                          errno ? std::strerror(errno) : "it is closed"),
              "make room, or send it elsewhere");
}

int run(int argc, char** argv) {
  CLI::App app("Assay measures what a pretraining objective offers a model to learn.", "assay");
  Globals globals;
  Command command;
  app.set_version_flag("--version", fmt::format("assay {} ({})", kVersion, kBuild));
  app.require_subcommand(0, 1);
  app.fallthrough();  // global options may stand behind the command
  app.footer(
      "Example: assay run studies/demo.toml -o demo && assay report demo\n"
      "Exit codes: 0 fine, 1 failed at run time, 2 wrong use or study file, 3 some trials did not\n"
      "complete, 5 environment (locked folder, full disk), 130 and 143 interrupted, resumable.");
  add_globals(app, globals);
  add_run(app, globals, command);
  add_status(app, globals, command);
  add_report(app, globals, command);
  add_fit(app, globals, command);
  add_plan(app, globals, command);
  add_predict(app, globals, command);
  add_drivers(app, globals, command);
  add_measure(app, globals, command);
  add_check(app, globals, command);
  add_list(app, globals, command);
  add_doctor(app, globals, command);
  // An unusable argument before --json must still be answered in JSON.
  const bool json = std::any_of(
      argv + 1, argv + argc, [](const char* text) { return std::string_view(text) == "--json"; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    const int code = app.exit(success);
    return std::cout.flush() ? code : static_cast<int>(ExitCode::environment);
  } catch (const CLI::ParseError& error) {
    globals.json = json;
    return report(usage_error(app, error), globals);
  }
  if (!command) {
    std::fputs(kWelcome, stdout);
    return 0;
  }
  try {
    const int code = command();
    check_stdout();
    return code;
  } catch (const Error& error) {
    return report(error, globals);
  } catch (const std::filesystem::filesystem_error& error) {
    const bool full = error.code() == std::errc::no_space_on_device;
    return report(Error(full ? "environment.disk_full" : "store.file",
                        fmt::format("{}: {}", error.path1().string(), error.code().message()),
                        "check the path, its permissions and the room on the disk"),
                  globals);
  } catch (const std::bad_alloc&) {
    return report(Error("environment.memory", "out of memory", "close other programs"), globals);
  } catch (const std::exception& error) {
    return report(Error("internal.unexpected", error.what(),
                        "this is a defect of Assay: please report it with the command you gave"),
                  globals);
  }
}

}  // namespace
}  // namespace assay::cli

int main(int argc, char** argv) { return assay::cli::run(argc, argv); }
