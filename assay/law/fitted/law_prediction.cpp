#include "assay/law/fitted/law_prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "assay/core/error.h"

namespace assay {
namespace {

constexpr std::pair<LawAxis, double Observation::*> kColumns[] = {
    {LawAxis::model_size, &Observation::model_size},
    {LawAxis::data_size, &Observation::data_size},
    {LawAxis::unique_data, &Observation::unique_data},
    {LawAxis::compute, &Observation::compute}};

constexpr const char* kExample = "write a point as N=1e8,D=2e9";

bool known(double value) { return !std::isnan(value); }

std::string axes_text(const Form& form) {
  std::string out;
  for (const LawAxis axis : form.axes())
    out += fmt::format("{}{}", out.empty() ? "" : " and ", axis_symbol(axis));
  return out;
}

double number_of(const std::string& text, const std::string& point) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc() || stop != end || !std::isfinite(value) || !(value > 0))
    throw Error("usage.number", fmt::format("`{}` in `{}` is not a number above zero", text, point),
                kExample);
  return value;
}

void read_column(const std::string& part, const std::string& point, Observation& out) {
  const size_t equals = part.find('=');
  if (equals == std::string::npos)
    throw Error("usage.point", fmt::format("`{}` in `{}` is not COLUMN=NUMBER", part, point),
                kExample);
  const std::string name = part.substr(0, equals);
  const auto column =
      std::ranges::find_if(kColumns, [&](auto& entry) { return axis_symbol(entry.first) == name; });
  if (column == std::end(kColumns))
    throw Error("usage.axis", fmt::format("`{}` in `{}` is no column of a law", name, point),
                "known: N (parameters), D (examples or tokens), U (unique ones), C (FLOPs)");
  double& value = out.*(column->second);
  if (known(value)) throw Error("usage.point", fmt::format("{} stands twice in `{}`", name, point));
  value = number_of(part.substr(equals + 1), point);
}

[[noreturn]] void refuse_unidentified(const StoredLaw& law, const std::string& what) {
  throw Error("law.not_identifiable",
              fmt::format("{}, and the table does not identify the law's parameters ({})", what,
                          law.reasons.empty() ? "unknown why" : law.reasons.front()),
              "such a law holds between its own runs alone: ask for a point there, or fit a form "
              "that the table identifies");
}

class Point {
 public:
  Point(const StoredLaw& law, const Observation& asked) : law_(law), form_(*law.form) {
    out_.point = asked;
  }

  PointPrediction run() {
    const bool two = form_.has(LawAxis::model_size) && form_.has(LawAxis::data_size);
    if (two && known(out_.point.compute)) from_compute();
    check_columns();
    out_.prediction = predict_interval(form_, law_.parameters, law_.draws, law_.noise, out_.point);
    place();
    return std::move(out_);
  }

 private:
  void from_compute() {
    Observation& at = out_.point;
    if (known(at.model_size) && known(at.data_size))
      throw Error("usage.axis",
                  fmt::format("C is given beside N and D, of which it follows: C = {:.3g} N D",
                              law_.flops_per),
                  "leave one of the three out");
    if (known(at.data_size)) {
      at.model_size = at.compute / (law_.flops_per * at.data_size);
    } else if (known(at.model_size)) {
      at.data_size = at.compute / (law_.flops_per * at.model_size);
    } else {
      allocate();
    }
    at.compute = Observation::kUnknown;
  }

  void allocate() {
    Observation& at = out_.point;
    if (!law_.identifiable)
      refuse_unidentified(law_, "compute-optimal sizes follow from the exponents");
    out_.optimal =
        allocation_intervals(form_, law_.parameters, law_.draws, at.compute, 0.95, law_.flops_per);
    if (!out_.optimal)
      throw Error("law.allocation",
                  "there are no compute-optimal sizes: A, B or an exponent of the law is zero",
                  "give N and D");
    at.model_size = out_.optimal->value.model_size;
    at.data_size = out_.optimal->value.data_size;
    if (form_.has(LawAxis::unique_data) && !known(at.unique_data)) at.unique_data = at.data_size;
  }

  void check_columns() const {
    for (const auto& [axis, member] : kColumns)
      if (known(out_.point.*member) && !form_.has(axis))
        throw Error("usage.axis",
                    fmt::format("the law is {} of {} alone: it has no {}", form_.name(),
                                axes_text(form_), axis_symbol(axis)),
                    fmt::format("give {}", axes_text(form_)));
    const char* or_compute =
        form_.axes().size() > 1 ? ", or C alone for compute-optimal sizes" : "";
    for (const LawAxis axis : form_.axes())
      if (!known(value_on(out_.point, axis)))
        throw Error("usage.missing_axis",
                    fmt::format("the law is {} of {}: {} is missing", form_.name(),
                                axes_text(form_), axis_symbol(axis)),
                    fmt::format("give {}{}", axes_text(form_), or_compute));
  }

  void place() {
    out_.decades_beyond = decades_beyond(law_.region, out_.point);
    for (const auto& [axis, range] : law_.region.ranges)
      out_.by_column.push_back({axis, decades_beyond(range, value_on(out_.point, axis))});
    const double far = out_.decades_beyond;
    if (!law_.identifiable) {
      if (far > kBesideFitted)
        refuse_unidentified(law_, fmt::format("the point lies {:.2f} decades outside the fitted "
                                              "runs",
                                              far));
      out_.warnings.push_back(
          "the table does not identify the law's parameters: this is interpolation between its "
          "runs, not evidence of a law");
    } else if (far > kFarBeyond) {
      out_.warnings.push_back(fmt::format(
          "the point lies {:.1f} decades beyond the fitted runs: the intervals take the form of "
          "the law for certain, and no run has tested it there",
          far));
    }
    if (law_.draws.kept == 0)
      out_.warnings.push_back(
          "no intervals: " +
          (law_.draws.failure.empty()
               ? std::string("the law was fitted without resamples (--ci bootstrap:4000)")
               : law_.draws.failure));
  }

  const StoredLaw& law_;
  const Form& form_;
  PointPrediction out_;
};

}  // namespace

Observation parse_point(const std::string& text) {
  Observation out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    std::erase(part, ' ');
    read_column(part, text, out);
    begin = end + 1;
  }
  return out;
}

PointPrediction predict_at(const StoredLaw& law, const Observation& asked) {
  return Point(law, asked).run();
}

}  // namespace assay
