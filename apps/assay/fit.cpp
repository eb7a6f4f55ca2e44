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
  TableOptions rows;
};

std::string number(double value) {
  const double size = std::abs(value);
  return size != 0 && (size < 1e-3 || size >= 1e6) ? fmt::format("{:.4e}", value)
                                                   : fmt::format("{:.5g}", value);
}

std::string limits_text(const std::optional<LawLimits>& limits) {
  if (!limits || !std::isfinite(limits->low) || !std::isfinite(limits->high)) return "–";
  return fmt::format("{} to {}", number(limits->low), number(limits->high));
}

std::string rows_text(const TableRows& table) {
  std::string text = plural(table.rows_read, "row") + " read";
  for (const UsedColumn& column : table.columns)
    text += fmt::format("; {} = `{}`{}", column.role, column.column,
                        column.scale == 1 ? "" : fmt::format(" × {:g}", column.scale));
  if (table.data_from_compute) text += "; D = C/(6 N)";
  for (const LeftOut& left : table.left_out)
    text += fmt::format("\n{} left out by `{}`", plural(left.rows, "row"), left.expression);
  return text + "\n";
}

std::string how_text(const FittedLaw& law) {
  const LawFit& fit = law.fit;
  std::string text = fmt::format(
      "{} of {}, σ = {:.2g} from {}; {}; {} of {} starts agree\n", plural(fit.rows, "row"),
      plural(fit.clusters, "run"), fit.scale.sigma, fit.scale.source,
      fit.converged ? "converged" : "NOT converged", fit.agreeing, fit.starts);
  if (fit.diverged > 0)
    text += fmt::format("{} diverged, not fitted\n", plural(fit.diverged, "row"));
  for (const std::string& name : fit.at_bound) text += fmt::format("{} is at its bound\n", name);
  return text;
}

std::string allocation_text(const FittedLaw& law) {
  const auto value = allocation(*law.problem.form, law.fit.parameters, 1e18);
  if (!value) return "";
  std::string text = fmt::format("compute-optimal: N* ∝ C^{:.3f}, D* ∝ C^{:.3f}, L − E ∝ C^-{:.3f}",
                                 value->model_exponent, value->data_exponent, value->loss_exponent);
  if (law.resamples)
    if (const auto with = allocation_intervals(law.problem, law.fit, *law.resamples, 1e18))
      text += fmt::format(" ({:.3f} to {:.3f} of N*)", with->model_exponent.low,
                          with->model_exponent.high);
  return text + "\n";
}

std::string structural_text(const FittedLaw& law) {
  if (!law.structural) return "";
  const StructuralBits& found = *law.structural;
  if (!found.failure.empty()) return fmt::format("structural bits: none; {}\n", found.failure);
  std::string interval;
  if (found.limits && std::isfinite(found.limits->low))
    interval = std::isfinite(found.limits->high)
                   ? fmt::format(" ({})", limits_text(found.limits))
                   : fmt::format(" (from {} on, without upper limit)", number(found.limits->low));
  return fmt::format("structural bits of {} data: {}{}; {:.0f}% of it below the smallest D\n",
                     number(found.data), number(found.bits), interval, 100 * found.extrapolated);
}

/// Why no exponents are told, and what would identify them.
std::string gate_text(const FittedLaw& law) {
  const Identifiability& gate = *law.gate;
  std::string text = "this table does not identify the law's parameters, so none are reported:\n";
  for (size_t i = 0; i < gate.reasons.size(); ++i)
    text += fmt::format("- {}; {}\n", gate.reasons[i], gate.remedies[i]);
  if (gate.slope)
    text += fmt::format("slope along {}: {} ({})\n", axis_symbol(gate.slope->axis),
                        number(gate.slope->exponent), limits_text(gate.slope->limits));
  return text;
}

std::string holdout_text(const FittedLaw& law) {
  if (!law.held_out) return "";
  std::vector<std::vector<std::string>> rows{{"fitted without", ">rows fitted", ">held out",
                                              ">log RMSE", ">in 95% interval", ">carried forward"}};
  for (const HoldoutCut& cut : law.held_out->cuts)
    rows.push_back(cut.failure.empty()
                       ? std::vector<std::string>{cut.name, fmt::format("{}", cut.fitted),
                                                  fmt::format("{}", cut.held_out),
                                                  fmt::format("{:.4f}", cut.log_rmse),
                                                  fmt::format("{:.0f}%", 100 * cut.coverage95),
                                                  fmt::format("{:.4f}", cut.carried_rmse)}
                       : std::vector<std::string>{cut.name, cut.failure, "", "", "", ""});
  std::string text = table(rows);
  for (const ParameterDrift& drift : law.held_out->drift)
    text += fmt::format("{} drifts from {} to {} over the cuts\n", drift.parameter,
                        number(drift.low), number(drift.high));
  if (!law.choice) return text;
  text += fmt::format("chosen by hold-out: {}", law.choice->chosen);
  for (const FormRival& rival : law.choice->rivals)
    if (rival.form != law.choice->chosen)
      text += fmt::format("; {} {:.4f}{}", rival.form, rival.log_rmse,
                          rival.indistinguishable ? " (indistinguishable)" : "");
  return text + "\n";
}

std::string law_text(const FittedLaw& law) {
  const Form& form = *law.problem.form;
  std::string text = law.group.empty() ? "" : law.group + "\n";
  text += fmt::format("{}: {}\n", form.name(), form.formula());
  if (!law.fit.usable()) return text + fmt::format("no law: {}\n", law.fit.failure);
  if (!law.identifiable()) return text + gate_text(law) + how_text(law) + holdout_text(law);
  std::vector<std::vector<std::string>> rows{{"parameter", ">value", ">95%", "unit"}};
  for (size_t i = 0; i < form.size(); ++i)
    rows.push_back({form.parameters()[i].name, number(law.fit.parameters[i]),
                    limits_text(law.interval(i)), form.parameters()[i].unit});
  text += table(rows) + how_text(law);
  if (law.influence) text += describe(*law.influence);
  return text + allocation_text(law) + structural_text(law) + holdout_text(law);
}

std::vector<std::string> warnings_of(const TableRows& table, const std::vector<FittedLaw>& laws,
                                     const std::optional<SharedExponents>& shared) {
  std::vector<std::string> all;
  if (shared) all = shared->warnings;
  for (const TableWarning& warning : table.warnings) all.push_back(warning.message);
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
           const std::vector<FittedLaw>& laws) {
  std::vector<StoredLaw> stored;
  for (const FittedLaw& law : laws) stored.push_back(stored_law(law, table.loss_unit));
  write_atomically(path, law_file(printed, stored));
}

/// A study's columns are known, and its hold-out is always made.
void refuse_of_tables(const CLI::App& command) {
  const std::set<std::string> of_studies = {"TABLE", "--form",   "--loss",
                                            "--ci",  "--factor", "--output"};
  for (const CLI::Option* option : command.get_options())
    if (option->count() > 0 && !of_studies.contains(option->get_name()))
      throw Error("usage.of_tables",
                  option->get_name() + " is of tables, and this is a study's folder",
                  "a study takes --form, --loss, --ci, --factor and -o");
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
  if (std::filesystem::is_directory(arguments.table)) {
    refuse_of_tables(command);
    return fit_study(arguments.table, arguments.factor.empty() ? "all" : arguments.factor, request,
                     arguments.output, globals);
  }
  if (!arguments.factor.empty())
    throw Error("usage.factor", "--factor is of a study's folder, and this is a table",
                "filter its rows with --where");
  const TableRows table = read_table(arguments.table, arguments.rows);
  request.units = {table.loss_unit, table.data_unit};
  request.checked = true;
  const std::vector<FittedLaw> laws = fit_groups(table.rows, request);
  const std::optional<SharedExponents> shared = shared_of(arguments.share, table, request);
  Json json = document(table, laws);
  if (shared) json["shared_exponents"] = to_json(*shared);
  if (plan) json["preregistration"] = to_json(*plan, test_predictions(*plan, table.rows));
  if (!arguments.write_preregistration.empty()) freeze(command, arguments.write_preregistration);
  if (!arguments.output.empty()) store(arguments.output, json, table, laws);
  if (globals.json) {
    print_json(json);
  } else {
    std::printf("%s", rows_text(table).c_str());
    if (plan)
      std::printf("%s",
                  preregistration_summary(*plan, test_predictions(*plan, table.rows)).c_str());
    for (const FittedLaw& law : laws) std::printf("\n%s", law_text(law).c_str());
    if (shared) std::printf("\n%s", shared_text(*shared).c_str());
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
