// assay fit TABLE.csv: a scaling law of anyone's table, with intervals.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/assay/command.h"
#include "apps/assay/console.h"
#include "apps/assay/fit_shared.h"
#include "apps/assay/fit_study.h"
#include "apps/assay/law_text.h"
#include "apps/assay/output.h"
#include "apps/assay/preregister.h"
#include "assay/law/fitted/fitted_law.h"
#include "assay/law/fitted/stored_law.h"
#include "assay/law/table/table.h"
#include "assay/store/files.h"

namespace assay::cli {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string table, form = "auto", loss = "huber:auto", intervals = "bootstrap:4000";
  std::string holdout = "none", share = "none", output, factor, preregistered,
              write_preregistration;
  bool checkpoints = false;
  TableOptions rows;
};

std::string rows_text(const TableRows& table) {
  std::string text = plural(table.rows_read, "row") + " read";
  for (const UsedColumn& column : table.columns)
    text += fmt::format("; {} = `{}`{}", column.role, column.column,
                        column.scale == 1 ? "" : fmt::format(" × {:g}", column.scale));
  if (table.data_from_compute) text += "; D = C/(6 N)";
  if (table.size_from_compute) text += "; N = C/(6 D)";
  for (const LeftOut& left : table.left_out)
    text += fmt::format("\n{} left out by `{}`", plural(left.rows, "row"), left.expression);
  return text + "\n";
}

std::vector<std::string> warnings_of(const TableRows& table, const std::vector<FittedLaw>& laws,
                                     const std::optional<SharedExponents>& shared) {
  std::vector<std::string> all;
  if (shared) all = shared->warnings;
  for (const TableWarning& warning : table.warnings) all.push_back(warning.message);
  const auto other_form = [&](const FittedLaw& law) {
    return law.problem.form->name() != laws.front().problem.form->name();
  };
  if (std::ranges::any_of(laws, other_form))
    all.push_back(
        "groups have laws of different forms, whose exponents do not compare: --form NAME fits one "
        "to all");
  for (const FittedLaw& law : laws) {
    const std::string of = law.group.empty() ? "" : law.group + ": ";
    for (const std::string& warning : law.fit.warnings) all.push_back(of + warning);
  }
  return all;
}

// One law: its fields at the top, as one group is what most tables hold.
Json document(const TableRows& table, const std::vector<FittedLaw>& laws) {
  Json out{{"format", kLawFormat}, {"table", to_json(table)}};
  if (laws.size() == 1) {
    out.update(to_json(laws.front()));
    return out;
  }
  out["laws"] = Json::array();
  for (const FittedLaw& law : laws) out["laws"].push_back(to_json(law));
  return out;
}

// What is printed, and what `assay predict` needs.
void store(const std::string& path, const Json& printed, const TableRows& table,
           const std::vector<FittedLaw>& laws, const std::optional<SharedExponents>& shared) {
  std::vector<StoredLaw> stored;
  for (const FittedLaw& law : laws) stored.push_back(stored_law(law, table.loss_unit));
  if (shared)
    for (StoredLaw& law : stored_laws(*shared, table.loss_unit)) stored.push_back(std::move(law));
  write_output(path, law_file(printed, stored));
}

/// Where resamples take long, before they are begun.
void warn_of_time(int64_t rows, const IntervalChoice& intervals, const Globals& globals) {
  using Kind = IntervalChoice::Kind;
  constexpr double kSeconds = 2.5e-7;  // a row of a resample
  constexpr double kLong = 30;
  if (intervals.kind != Kind::bootstrap && intervals.kind != Kind::bootstrap_full) return;
  const double factor = intervals.kind == Kind::bootstrap_full ? 5 : 1;
  const double seconds = factor * kSeconds * static_cast<double>(rows) * intervals.resamples;
  if (seconds > kLong)
    warn(fmt::format(
             "{} resamples of {} rows take about {}: --ci bootstrap:200 knows an interval to "
             "5% of its width, --ci none is at once",
             intervals.resamples, count_text(static_cast<double>(rows)), duration_text(seconds)),
         globals.color);
}

/// A study's columns are known, and its hold-out is always made.
void refuse_of_tables(const CLI::App& command) {
  const std::set<std::string> of_studies = {"TABLE",    "--form",   "--loss",       "--ci",
                                            "--factor", "--output", "--checkpoints"};
  for (const CLI::Option* option : command.get_options())
    if (option->count() > 0 && !of_studies.contains(option->get_name()))
      throw Error("usage.of_tables",
                  option->get_name() + " is of tables, and this is a study's folder",
                  "a study takes --form, --loss, --ci, --factor, --checkpoints and -o");
}

int fit(const Arguments& arguments, CLI::App& command, const Globals& globals) {
  std::optional<Preregistration> plan;
  if (!arguments.preregistered.empty()) plan = obey(command, arguments.preregistered);
  LawRequest request;
  request.form = arguments.form;
  request.fit.loss = parse_loss(arguments.loss);
  request.intervals = parse_interval_choice(arguments.intervals);
  request.holdout = arguments.holdout == "rolling";
  if (request.form != "auto") make_form(request.form);  // throws before the table is read
  const std::string& plan_file = arguments.write_preregistration;
  if (!arguments.output.empty())
    check_output(arguments.output, {arguments.table, arguments.preregistered, plan_file});
  if (!plan_file.empty()) {
    check_output(plan_file, {arguments.table}, "--write-preregistration");
    refuse_frozen(plan_file);
  }
  if (std::filesystem::is_directory(arguments.table)) {
    refuse_of_tables(command);
    return fit_study(arguments.table, arguments.factor.empty() ? "all" : arguments.factor,
                     arguments.checkpoints ? StudyRows::checkpoints : StudyRows::last, request,
                     arguments.output, globals);
  }
  if (!arguments.factor.empty() || arguments.checkpoints)
    throw Error("usage.of_studies",
                fmt::format("--{} is of a study's folder, and this is a table",
                            arguments.checkpoints ? "checkpoints" : "factor"),
                "filter its rows with --where");
  const TableRows table = read_table(arguments.table, arguments.rows);
  request.units = {table.loss_unit, table.data_unit};
  request.checked = true;
  if (!globals.quiet) warn_of_time(std::ssize(table.rows), request.intervals, globals);
  const std::vector<FittedLaw> laws = fit_groups(table.rows, request);
  const std::optional<SharedExponents> shared = shared_of(arguments.share, table, request);
  Json json = document(table, laws);
  if (shared) json["shared_exponents"] = to_json(*shared);
  if (plan) json["preregistration"] = to_json(*plan, test_predictions(*plan, table.rows));
  if (!arguments.write_preregistration.empty()) freeze(command, arguments.write_preregistration);
  if (!arguments.output.empty()) store(arguments.output, json, table, laws, shared);
  if (globals.json) {
    print_json(json);
  } else {
    std::printf("%s", rows_text(table).c_str());
    if (plan)
      std::printf("%s",
                  preregistration_summary(*plan, test_predictions(*plan, table.rows)).c_str());
    for (const FittedLaw& law : laws) std::printf("\n%s", law_text(law).c_str());
    if (shared) std::printf("\n%s", shared_text(*shared).c_str());
    if (!arguments.output.empty()) std::printf("\nstored in %s\n", arguments.output.c_str());
    std::fflush(stdout);
    if (!globals.quiet)
      for (const std::string& warning : warnings_of(table, laws, shared))
        warn(warning, globals.color);
  }
  const bool all = std::ranges::all_of(laws, [](const FittedLaw& law) { return law.fit.usable(); });
  return all ? 0 : 1;
}

}  // namespace

void add_fit(CLI::App& app, const Globals& globals, Command& run) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "fit",
      "Fit a scaling law to a table of model sizes, data and losses, or to the trials of a study\n"
      "(bit deficit and own loss, by objective). Columns are recognised by\n"
      "common names; N = parameters, D = examples or tokens, C = FLOPs, D = C/(6 N) where only C\n"
      "is given.");
  command
      ->add_option("TABLE", arguments->table,
                   "CSV file, a row a run or checkpoint; or a study's folder")
      ->required();
  for (const RoleNames& role : roles())
    command->add_option(std::string(role.option),
                        arguments->rows.columns[static_cast<size_t>(role.role)],
                        fmt::format("Column of {}", role.meaning));
  command->add_option("--where", arguments->rows.where,
                      "Only rows that meet `COLUMN OP VALUE`, such as 'loss < 4' (repeatable)");
  command
      ->add_option("--form", arguments->form,
                   "auto, power, floor_power, bounded, one_break, chinchilla, tied, outer, "
                   "repetition or repetition_tied")
      ->capture_default_str();
  command->add_option("--loss", arguments->loss, "huber:auto, huber:DELTA (of log loss) or mse")
      ->capture_default_str();
  command
      ->add_option("--ci", arguments->intervals,
                   "bootstrap:N (runs resampled), bootstrap-full:N (from the whole start grid each "
                   "time), profile or none")
      ->capture_default_str();
  command
      ->add_option("--holdout", arguments->holdout,
                   "rolling: fit the smaller runs and predict the larger ones; with --form auto "
                   "also chooses the form by it; or none")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "rolling"}));
  command
      ->add_option("--share", arguments->share,
                   "exponents: one alpha and beta for all groups, which differ in E and in what N "
                   "and D are worth; or none")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "exponents"}));
  command->add_option("--n-definition", arguments->rows.model_size_definition,
                      "What N counts: \"with embeddings\" or \"without embeddings\"");
  command->add_option("--loss-unit", arguments->rows.loss_unit, "nats, bits, …");
  command->add_option("--factor", arguments->factor,
                      "Of a study's bit deficit: all (default), content, position or one factor");
  command->add_flag(
      "--checkpoints", arguments->checkpoints,
      "Of a study: every measurement of a trial is a row, not the last alone; rows of "
      "one trial are resampled together");
  command->add_option(
      "-o,--output", arguments->output,
      "File for the law, as JSON: what --json prints and what `assay predict` needs");
  command
      ->add_option("--preregistered", arguments->preregistered,
                   "File that froze the options and foretold losses: obeyed, and contradicting "
                   "options are errors")
      ->excludes(command->add_option("--write-preregistration", arguments->write_preregistration,
                                     "File for the options of this call, to be obeyed later"));
  command->footer(
      "Example: assay fit runs.csv --where 'loss < 4' --form chinchilla --loss huber:1e-3");
  command->callback([arguments, command, &globals, &run] {
    run = [arguments, command, &globals] { return fit(*arguments, *command, globals); };
  });
}

}  // namespace assay::cli
