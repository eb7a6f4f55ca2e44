// assay drivers TABLE.csv: does a driver predict what objectives achieve?
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "assay/law/drivers/driver_table.h"
#include "assay/law/drivers/drivers.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string table;
  DriverColumns columns;
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

std::string objectives_text(const DriverTable& read, const Arguments& arguments,
                            const DriverAnalysis& analysis) {
  std::vector<std::vector<std::string>> rows{{"objective"}};
  for (const std::string& name : arguments.columns.drivers) rows[0].push_back(">" + name);
  rows[0].push_back(">" + arguments.columns.outcome);
  for (const char* name : {">predicted without it", ">mean of others"}) rows[0].push_back(name);
  for (size_t i = 0; i < read.points.size(); ++i) {
    const DriverPoint& point = read.points[i];
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

int drivers(const Arguments& arguments, const Globals& globals) {
  const DriverTable read = read_driver_table(arguments.table, arguments.columns);
  const DriverAnalysis analysis = analyse_drivers(read.points);
  if (globals.json) {
    Json left_out = Json::array();
    for (const LeftOut& left : read.left_out)
      left_out.push_back({{"where", left.expression}, {"rows", left.rows}});
    Json json{{"format", 1},
              {"outcome", arguments.columns.outcome},
              {"drivers", arguments.columns.drivers},
              {"table", {{"rows_read", read.rows_read}, {"left_out", left_out}}}};
    json.update(to_json(analysis, read.points));
    print_json(json);
    return 0;
  }
  std::printf("%s%s\n%s\n%s\n", rows_text(read).c_str(),
              objectives_text(read, arguments, analysis).c_str(),
              law_text(arguments, analysis).c_str(), analysis.sentence.c_str());
  std::fflush(stdout);
  if (!globals.quiet)
    for (const std::string& warning : analysis.warnings) warn(warning, globals.color);
  return 0;
}

}  // namespace

void add_drivers(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("drivers",
                                         "Does a driver predict what objectives achieve? "
                                         "Regression over the rows of a table, one for\n"
                                         "each objective, with measuring errors in both, judged by "
                                         "predicting objectives left out and\n"
                                         "by chance. Refuses to conclude from too few.");
  DriverColumns& columns = arguments->columns;
  command->add_option("TABLE", arguments->table, "CSV file, a row an objective")->required();
  command
      ->add_option("--outcome", columns.outcome,
                   "Column of what is to be predicted: an exponent, a loss at fixed compute, …")
      ->required();
  command->add_option("--outcome-se", columns.outcome_error, "Column of its standard errors");
  command->add_option("--driver", columns.drivers, "Column of a driver; may be given twice")
      ->required()
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
  command->footer(
      "Example: assay drivers objectives.csv --outcome alpha --outcome-se alpha_se --driver snr "
      "--driver-se snr_se");
  command->callback([arguments, &globals, &run] {
    run = [arguments, &globals] { return drivers(*arguments, globals); };
  });
}

}  // namespace assay::cli
