// assay drivers TABLE.csv|DIR: does a driver predict what objectives achieve?
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "assay/law/drivers/driver_table.h"
#include "assay/law/drivers/drivers.h"
#include "assay/law/drivers/study_drivers.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string table;  // or a study's folder
  DriverColumns columns;
  std::string readout;
  double fraction = 1;
};

/// What is compared, wherever it came from.
struct Compared {
  std::vector<DriverPoint> points;
  std::string head;  // of the text
  Json source;       // of the JSON: its key and what stands there
};

std::string number(double value) { return fmt::format("{:.4g}", value); }

std::string slope_end(double value) {
  return std::isfinite(value) ? number(value) : value < 0 ? "−∞" : "∞";
}

std::string rows_text(const DriverTable& read) {
  std::string text = plural(read.rows_read, "row") + " read";
  if (!read.objective_column.empty())
    text += fmt::format("; objectives by `{}`", read.objective_column);
  for (const LeftOut& left : read.left_out)
    text += fmt::format("\n{} left out by `{}`", plural(left.rows, "row"), left.expression);
  return text + "\n\n";
}

Compared from_table(const Arguments& arguments) {
  if (arguments.columns.outcome.empty() || arguments.columns.drivers.empty())
    throw Error("usage.arguments", "a table has no outcome and driver of its own",
                "name the columns with --outcome and --driver");
  if (!arguments.readout.empty() || arguments.fraction != 1)
    throw Error("usage.arguments", "--readout and --at are for a study's folder",
                "leave them out, or give the folder instead of the table");
  const DriverTable read = read_driver_table(arguments.table, arguments.columns);
  Json left_out = Json::array();
  for (const LeftOut& left : read.left_out)
    left_out.push_back({{"where", left.expression}, {"rows", left.rows}});
  return {read.points,
          rows_text(read),
          {{"table", {{"rows_read", read.rows_read}, {"left_out", left_out}}}}};
}

Compared from_study(Arguments& arguments) {
  DriverColumns& columns = arguments.columns;
  if (!columns.outcome_error.empty() || !columns.driver_errors.empty() ||
      !columns.objective.empty() || !columns.where.empty())
    throw Error("usage.arguments",
                "--outcome-se, --driver-se, --objective-column and --where are for a table",
                "leave them out: a study knows its standard errors and objectives");
  StudyDriverColumns wanted{.readout = arguments.readout, .fraction = arguments.fraction};
  if (columns.outcome.empty()) columns.outcome = wanted.outcome;
  if (columns.drivers.empty()) columns.drivers = wanted.drivers;
  wanted.outcome = columns.outcome;
  wanted.drivers = columns.drivers;
  const StudyFolder study = read_study(arguments.table, ReadDepth::full);
  const StudyDrivers found = study_drivers(study, wanted);
  if (found.points.size() < 3)
    throw Error(
        "law.drivers",
        fmt::format("{}: {} with outcome and drivers{}{}", arguments.table,
                    plural(std::ssize(found.points), "objective"),
                    found.left_out.empty() ? "" : "; left out: ", fmt::join(found.left_out, "; ")),
        "measure at least 3, and 7 for a conclusion");
  std::string head = fmt::format("{} of study {}, {} readout; drivers at {:g} of the budget\n",
                                 plural(std::ssize(found.points), "objective"), study.name,
                                 found.readout, arguments.fraction);
  for (const std::string& left : found.left_out) head += "left out: " + left + "\n";
  return {found.points,
          head + "\n",
          {{"study",
            {{"name", study.name},
             {"readout", found.readout},
             {"fraction", arguments.fraction},
             {"left_out", found.left_out}}}}};
}

std::string objectives_text(const std::vector<DriverPoint>& points, const Arguments& arguments,
                            const DriverAnalysis& analysis) {
  std::vector<std::vector<std::string>> rows{{"objective"}};
  for (const std::string& name : arguments.columns.drivers) rows[0].push_back(">" + name);
  rows[0].push_back(">" + arguments.columns.outcome);
  for (const char* name : {">predicted without it", ">mean of others"}) rows[0].push_back(name);
  for (size_t i = 0; i < points.size(); ++i) {
    const DriverPoint& point = points[i];
    rows.push_back({point.objective});
    for (const double driver : point.drivers) rows.back().push_back(number(driver));
    for (const double value :
         {point.outcome, analysis.left_out[i].predicted, analysis.left_out[i].mean})
      rows.back().push_back(number(value));
  }
  return table(rows);
}

std::string law_text(const Arguments& arguments, const DriverAnalysis& analysis) {
  std::string text;
  for (size_t j = 0; j < analysis.law.slopes.size(); ++j)
    text += fmt::format("slope along {}: {} ({} to {})\n", arguments.columns.drivers[j],
                        number(analysis.law.slopes[j]), slope_end(analysis.slope_limits[j].low),
                        slope_end(analysis.slope_limits[j].high));
  text += fmt::format("correlation {:.2f} as measured, {:.2f} without measuring errors; {}\n",
                      analysis.measured_correlation, analysis.law.correlation,
                      analysis.permutation.exact
                          ? fmt::format("p over all {} orders", analysis.permutation.orders)
                          : fmt::format("p over {} random orders", analysis.permutation.orders));
  text += "power at |r|";
  for (const PowerAt& at : analysis.power)
    text += fmt::format(" {:.1f}: {:.0f}%{}", at.correlation, 100 * at.power,
                        &at == &analysis.power.back() ? "\n" : ",");
  return text;
}

int drivers(Arguments arguments, const Globals& globals) {
  const Compared compared = std::filesystem::is_directory(arguments.table) ? from_study(arguments)
                                                                           : from_table(arguments);
  const DriverAnalysis analysis = analyse_drivers(compared.points);
  if (globals.json) {
    Json json{{"format", 1},
              {"outcome", arguments.columns.outcome},
              {"drivers", arguments.columns.drivers}};
    json.update(compared.source);
    json.update(to_json(analysis, compared.points));
    print_json(json);
    return 0;
  }
  std::printf("%s%s\n%s\n%s\n", compared.head.c_str(),
              objectives_text(compared.points, arguments, analysis).c_str(),
              law_text(arguments, analysis).c_str(), analysis.sentence.c_str());
  std::fflush(stdout);
  if (!globals.quiet)
    for (const std::string& warning : analysis.warnings) warn(warning, globals.color);
  return 0;
}

}  // namespace

void add_drivers(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "drivers",
      "Does a driver predict what objectives achieve? Regression over objectives, the rows of a\n"
      "table or those of a study, with measuring errors in both, judged by predicting objectives\n"
      "left out and by chance. Refuses to conclude from too few.");
  DriverColumns& columns = arguments->columns;
  command
      ->add_option("TABLE|DIR", arguments->table,
                   "CSV file, a row an objective; or a study's folder")
      ->required();
  command->add_option(
      "--outcome", columns.outcome,
      "What is to be predicted: a table's column; of a study's bit deficit slope_D\n"
      "[default], slope_N, alpha, beta or deficit (at the end)");
  command->add_option("--outcome-se", columns.outcome_error, "Column of its standard errors");
  command
      ->add_option("--driver", columns.drivers,
                   "A table's column; of a study snr [default], share, headroom, online_snr,\n"
                   "target_snr or useful_rate. May be given twice")
      ->expected(1)
      ->take_all();
  command
      ->add_option("--driver-se", columns.driver_errors,
                   "Column of its standard errors, one for each --driver")
      ->expected(1)
      ->take_all();
  command->add_option("--objective-column", columns.objective,
                      "Column of the objectives' names [default: recognised]");
  command->add_option("--where", columns.where,
                      "Only rows that meet `COLUMN OP VALUE`, such as 'modality == image' "
                      "(repeatable)");
  command->add_option("--readout", arguments->readout,
                      "Of a study: linear or attentive [default: attentive]");
  command
      ->add_option("--at", arguments->fraction,
                   "Of a study: the fraction of the budget at which drivers are read")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->footer(
      "Example: assay drivers objectives.csv --outcome alpha --outcome-se alpha_se --driver snr "
      "--driver-se snr_se\n         assay drivers runs/scaling --driver snr --at 0.16");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return drivers(*arguments, globals); };
  });
}

}  // namespace assay::cli
