// assay report DIR: one self-contained HTML page, or its content as JSON.
#include "assay/report/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/output.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

int report(const std::string& folder, std::string output, const Globals& globals) {
  if (globals.json && output.empty()) {
    print_json(report_json(folder));
    return 0;
  }
  if (output.empty()) output = (fs::path(folder) / "report.html").string();
  if (output != "-") check_output(output, {folder});
  const std::string html = report_html(folder);
  if (output == "-") {
    std::fwrite(html.data(), 1, html.size(), stdout);
    return 0;
  }
  write_output(output, html);
  if (globals.json) {
    print_json(report_json(folder));
  } else {
    std::printf("%s\n", output.c_str());
    if (!globals.quiet) {
      std::fprintf(stderr, "%.1f MB, needs no network: open it in any browser\n",
                   static_cast<double>(html.size()) / 1e6);
    }
  }
  return 0;
}

}  // namespace

void add_report(CLI::App& app, const Globals& globals, Command& run) {
  struct Arguments {
    std::string folder, output;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("report", "Write one HTML page with findings, charts and tables");
  command->add_option("DIR", arguments->folder, "Study folder; trials may still be running")
      ->required();
  command->add_option("-o,--output", arguments->output,
                      "File to write, - for stdout [default: DIR/report.html; with --json none]");
  command->footer("Example: assay report runs/demo -o demo.html");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return report(arguments->folder, arguments->output, globals); };
  });
}

}  // namespace assay::cli
