#include "assay/law/fitted/epiplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "assay/core/error.h"
#include "assay/law/table/number.h"

namespace assay {
namespace {

// Stands for "infinite" where percentiles are taken, which leave out what is not finite.
constexpr double kBeyond = 1e300;

double area(const DataTerm& term, double data) {
  return term.exponent / (1 - term.exponent) * term.coefficient * std::pow(data, 1 - term.exponent);
}

std::string fault(const DataTerm& term) {
  if (!(term.exponent > 0) || !(term.coefficient >= 0))
    return fmt::format("the loss does not fall with D (B = {:.4g}, b = {:.4g})", term.coefficient,
                       term.exponent);
  if (term.exponent >= 1)
    return fmt::format(
        "the data exponent {:.4g} is not below 1: the area under the law is infinite",
        term.exponent);
  return {};
}

void check(const DataTerm& term) {
  if (const std::string wrong = fault(term); !wrong.empty())
    throw Error("law.epiplexity", "no structural bits: " + wrong,
                "fit a law whose data exponent lies between 0 and 1, from more data budgets");
}

struct DataRange {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  bool repeated = false;  // at the largest D
};

DataRange data_range(std::span<const Observation> rows) {
  DataRange range;
  for (const Observation& row : rows) {
    if (row.status != ObservationStatus::measured || !(row.data_size > 0)) continue;
    range.low = std::min(range.low, row.data_size);
    if (row.data_size < range.high) continue;
    const bool repeated = row.data_size > 1.001 * row.unique_data;  // false where U is unknown
    range.repeated = repeated || (range.repeated && row.data_size == range.high);
    range.high = row.data_size;
  }
  return range;
}

std::string why_not(const LawProblem& problem, const LawFit& fit, bool identified,
                    const DataRange& range, const BitsPerLoss& unit) {
  if (!fit.usable()) return "there is no law";
  if (!identified) return "the table does not identify the data exponent";
  const auto term = data_term(*problem.form, fit.parameters);
  if (!term)
    return fmt::format("in the form {} what falls with data is no power of D alone; fit chinchilla",
                       problem.form->name());
  if (const std::string wrong = fault(*term); !wrong.empty()) return wrong;
  if (!(term->coefficient > 0)) return "the loss does not fall with D (B = 0)";
  if (range.repeated)
    return "data were seen several times (D is above U), and code lengths count the first time "
           "only";
  return unit.failure;
}

double bits_of_draw(const Form& form, std::span<const double> parameters, double factor,
                    double data) {
  const auto term = data_term(form, parameters);
  return term->exponent < 1 ? std::min(kBeyond, factor * area(*term, data)) : kBeyond;
}

}  // namespace

std::optional<DataTerm> data_term(const Form& form, std::span<const double> parameters) {
  const auto named = [&](const char* name) { return parameters[form.index(name)]; };
  if (form.name() == "chinchilla") return DataTerm{named("B"), named("beta")};
  if (form.name() == "tied") return DataTerm{named("B"), named("alpha")};
  const bool of_data = form.axes().size() == 1 && form.axes().front() == LawAxis::data_size;
  if (of_data && (form.name() == "floor_power" || form.name() == "power"))
    return DataTerm{named("A"), named("c")};
  return std::nullopt;
}

double structural_information(const DataTerm& term, double data) {
  check(term);
  if (!(data > 0))
    throw Error("law.epiplexity", fmt::format("no structural bits of D = {:g} data", data),
                "give a D above zero");
  return area(term, data);
}

double extrapolated_share(const DataTerm& term, double seen, double data) {
  const double u = std::min(seen / data, 1.0), b = term.exponent;
  return (std::pow(u, 1 - b) - (1 - b) * u) / b;
}

BitsPerLoss bits_per_loss(const LawUnitNames& units) {
  std::string text = lower_case(units.loss);
  if (const size_t slash = text.find('/'); slash != text.npos) text.replace(slash, 1, " per ");
  const size_t per = text.find(" per ");
  const std::string unit(trimmed(std::string_view(text).substr(0, per)));
  const std::string datum(per == text.npos ? "" : trimmed(std::string_view(text).substr(per + 5)));
  const double factor = unit == "nats" || unit == "nat"   ? 1 / std::numbers::ln2
                        : unit == "bits" || unit == "bit" ? 1
                                                          : 0;
  if (factor == 0)
    return {0, fmt::format("the loss is in unit `{}`, not known to be nats or bits; say which with "
                           "--loss-unit",
                           units.loss)};
  if (datum.empty()) return {factor, {}};
  if (units.data == datum || units.data == datum + "s") return {factor, {}};
  return {0, fmt::format("the loss is per {}, and D counts {}; if a datum of D is a {}, say "
                         "--loss-unit {}",
                         datum, units.data == "unknown" ? "data of unknown unit" : units.data,
                         datum, unit)};
}

std::optional<StructuralBits> structural_bits(const LawProblem& problem, const LawFit& fit,
                                              bool identified, const LawBootstrap* resamples,
                                              std::span<const Observation> rows,
                                              const LawUnitNames& units) {
  const Form& form = *problem.form;
  if (!form.has(LawAxis::data_size)) return std::nullopt;
  const DataRange range = data_range(rows);
  const BitsPerLoss unit = bits_per_loss(units);
  StructuralBits out;
  out.data = range.high;
  out.failure = why_not(problem, fit, identified, range, unit);
  if (!out.failure.empty()) return out;
  const DataTerm term = *data_term(form, fit.parameters);
  out.bits = unit.factor * structural_information(term, range.high);
  out.extrapolated = extrapolated_share(term, range.low, range.high);
  if (!resamples || resamples->kept == 0) return out;
  out.limits = resamples->interval_of(
      [&](std::span<const double> at) { return bits_of_draw(form, at, unit.factor, range.high); });
  if (out.limits->high > 1e-9 * kBeyond) out.limits->high = std::numeric_limits<double>::infinity();
  return out;
}

BoundedInformation bounded_information(const NatsLaw& law, double compute, double target) {
  check(law.data);
  const double a = law.model_coefficient, alpha = law.model_exponent;
  const double b = law.data.exponent;
  if (!(a > 0) || !(alpha > 0) || !(law.data.coefficient > 0) || !(compute > 0) || !(target > 0))
    throw Error("law.epiplexity", "bounded compute needs a model term, a data term and a budget",
                "fit the form chinchilla, and give compute and data above zero");
  // Slopes of S and of H times D^(b+1); their difference falls with D.
  const double scale = 3 * alpha * a * target * std::pow(2 / compute, alpha);
  double low = std::log(target) - 700, high = std::log(target);
  for (int step = 0; step < 200; ++step) {
    const double middle = 0.5 * (low + high), data = std::exp(middle);
    const double gained = b * law.data.coefficient * (target - data);
    const double paid = scale * std::pow(3 * data + target, alpha - 1) * std::pow(data, b + 1);
    (gained > paid ? low : high) = middle;
  }
  BoundedInformation out;
  out.data_size = std::exp(0.5 * (low + high));
  out.model_size = compute / (2 * (3 * out.data_size + target));
  const double loss = law.floor + a * std::pow(out.model_size, -alpha) +
                      law.data.coefficient * std::pow(out.data_size, -b);
  out.structural_bits = area(law.data, out.data_size) / std::numbers::ln2;
  out.random_bits = target * loss / std::numbers::ln2;
  return out;
}

}  // namespace assay
