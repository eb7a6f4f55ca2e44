// Choice among forms by their hold-out errors, paired row by row.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "assay/core/error.h"
#include "assay/law/validation/holdout.h"

namespace assay {
namespace {

constexpr int kResamples = 1000;
constexpr double kErrors = 2;  // standard errors within which forms are not told apart

// Squared log errors of one form, summed over the common cuts, by held-out run.
using ByRun = std::map<std::string, double>;

struct Scored {
  const Holdout* holdout;
  ByRun squares;
  double mean_square = 0;
};

std::set<std::string> common_cuts(std::span<const Holdout> holdouts) {
  std::map<std::string, std::size_t> seen;
  for (const Holdout& holdout : holdouts)
    for (const HoldoutCut& cut : holdout.cuts)
      if (cut.failure.empty()) ++seen[cut.name];
  std::set<std::string> out;
  for (const auto& [name, count] : seen)
    if (count == holdouts.size()) out.insert(name);
  return out;
}

Scored score(std::span<const Observation> observations, const Holdout& holdout,
             const std::set<std::string>& cuts) {
  Scored out{&holdout, {}, 0};
  double count = 0;
  for (const HoldoutCut& cut : holdout.cuts) {
    if (!cuts.contains(cut.name)) continue;
    for (std::size_t i = 0; i < cut.rows.size(); ++i) {
      const std::string& run = observations[cut.rows[i]].run;
      const double square = cut.errors[i] * cut.errors[i];
      out.squares[run.empty() ? "row " + std::to_string(cut.rows[i]) : "run " + run] += square;
      out.mean_square += square;
      ++count;
    }
  }
  out.mean_square /= count;
  return out;
}

// Standard deviation, over resampled runs, of the difference of the two sums, per row held out.
FormRival against(const Scored& rival, const Scored& best, Seed seed) {
  FormRival out;
  out.form = rival.holdout->form;
  out.log_rmse = std::sqrt(rival.mean_square);
  out.difference = rival.mean_square - best.mean_square;
  std::vector<double> differences;
  double total = 0;
  for (const auto& [run, square] : rival.squares) {
    differences.push_back(square - best.squares.at(run));
    total += differences.back();
  }
  const double rows = total != 0 ? total / out.difference : 1;
  std::mt19937_64 engine(seed.child(out.form).value());
  double mean = 0, spread = 0;
  for (int k = 0; k < kResamples; ++k) {
    double sum = 0;
    for (std::size_t i = 0; i < differences.size(); ++i)
      sum += differences[engine() % differences.size()];
    const double change = sum / rows - mean;
    mean += change / (k + 1);
    spread += change * (sum / rows - mean);
  }
  out.standard_error = std::sqrt(spread / (kResamples - 1));
  out.indistinguishable = out.difference <= kErrors * out.standard_error;
  return out;
}

}  // namespace

bool comparable(std::span<const Holdout> holdouts) { return !common_cuts(holdouts).empty(); }

FormChoice choose_form(std::span<const Observation> observations, std::span<const Holdout> holdouts,
                       Seed seed) {
  if (holdouts.size() < 2)
    throw Error("law.holdout", "a choice needs the hold-outs of at least two forms");
  const std::set<std::string> cuts = common_cuts(holdouts);
  if (cuts.empty())
    throw Error("law.holdout", "no cut in which all forms could be fitted",
                "more rows, or forms with fewer parameters");
  std::vector<Scored> scored;
  for (const Holdout& holdout : holdouts) scored.push_back(score(observations, holdout, cuts));
  const auto best = std::min_element(
      scored.begin(), scored.end(),
      [](const Scored& a, const Scored& b) { return a.mean_square < b.mean_square; });
  FormChoice out;
  out.best = out.chosen = best->holdout->form;
  std::size_t fewest = best->holdout->parameters;
  for (const Scored& rival : scored) {
    if (&rival == &*best) continue;
    out.rivals.push_back(against(rival, *best, seed));
    if (!out.rivals.back().indistinguishable) continue;
    out.distinguished = false;
    if (rival.holdout->parameters < fewest) {
      fewest = rival.holdout->parameters;
      out.chosen = rival.holdout->form;
    }
  }
  return out;
}

}  // namespace assay
