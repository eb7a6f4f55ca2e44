#include "assay/law/fit/fit_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "assay/core/error.h"
#include "assay/law/fit/twins.h"
#include "assay/law/numeric/kernels.h"

namespace assay {
namespace {

double checked_log(double value, const std::string& what, const Observation& row) {
  if (std::isfinite(value) && value > 0) return std::log(value);
  const std::string place = row.line > 0 ? "line " + std::to_string(row.line) + ": " : "";
  throw Error("law.column",
              place + what + " is " +
                  (std::isnan(value) ? "missing" : std::to_string(value) + ", not above zero"),
              "laws are fitted to logarithms: leave such rows out, or mark them as diverged");
}

void append_row(const Observation& row, const Form& form, std::size_t index, FitRows& out) {
  for (const LawAxis axis : form.axes()) {
    out.log_column[static_cast<std::size_t>(axis)].push_back(
        checked_log(value_on(row, axis), std::string(axis_name(axis)), row));
  }
  out.log_loss.push_back(checked_log(row.loss, "loss", row));
  const bool bound = row.status == ObservationStatus::upper_bound;
  out.highest.push_back(bound ? 0 : std::numeric_limits<double>::infinity());
  out.upper_bounds += bound;
  out.weight.push_back(1);
  out.source.push_back(index);
}

double centre(std::vector<double>& values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
  return mean;
}

void centre_all(FitRows& rows) {
  for (std::size_t axis = 0; axis < kLawAxes; ++axis) {
    if (axis == static_cast<std::size_t>(LawAxis::unique_data)) continue;
    rows.units.log_axis[axis] = centre(rows.log_column[axis]);
  }
  const double data = rows.units[LawAxis::data_size];
  rows.units.log_axis[static_cast<std::size_t>(LawAxis::unique_data)] = data;
  auto& unique = rows.log_column[static_cast<std::size_t>(LawAxis::unique_data)];
  if (rows.log_column[static_cast<std::size_t>(LawAxis::data_size)].empty()) {
    rows.units.log_axis[static_cast<std::size_t>(LawAxis::unique_data)] = centre(unique);
  } else {
    for (double& value : unique) value -= data;
  }
  rows.units.log_loss = centre(rows.log_loss);
}

void number_clusters(std::span<const Observation> observations, FitRows& rows) {
  std::unordered_map<std::string, int64_t> known;
  const std::vector<std::size_t> first = first_twins(observations, rows.source);
  for (std::size_t i = 0; i < rows.source.size(); ++i) {
    const std::string& run = observations[rows.source[i]].run;
    if (run.empty()) {
      const bool twin = first[i] != i && observations[rows.source[first[i]]].run.empty();
      rows.cluster.push_back(twin ? rows.cluster[first[i]] : rows.clusters++);
      continue;
    }
    const auto [entry, fresh] = known.try_emplace(run, rows.clusters);
    rows.clusters += fresh;
    rows.cluster.push_back(entry->second);
  }
  std::vector<bool> measured(static_cast<std::size_t>(rows.clusters));
  for (std::size_t i = 0; i < rows.source.size(); ++i)
    if (!rows.is_bound(i)) measured[static_cast<std::size_t>(rows.cluster[i])] = true;
  rows.measured_clusters = std::ranges::count(measured, true);
}

}  // namespace

LawRows FitRows::rows() const {
  LawRows out;
  out.count = weight.size();
  for (std::size_t axis = 0; axis < kLawAxes; ++axis)
    out.log_column[axis] = log_column[axis].empty() ? nullptr : log_column[axis].data();
  return out;
}

FitRows fit_rows(std::span<const Observation> observations, const Form& form) {
  FitRows out;
  for (const LawAxis axis : form.axes())
    if (!observations.empty() && std::ranges::none_of(observations, [&](const Observation& row) {
          return std::isfinite(value_on(row, axis));
        }))
      throw Error(
          "law.column",
          form.name() + " is a law of " + std::string(axis_name(axis)) + ", which no row has",
          "name its column (--n-column, --d-column, --unique-column, --flops-column), or fit "
          "another --form");
  for (std::size_t i = 0; i < observations.size(); ++i) {
    if (observations[i].status == ObservationStatus::diverged) {
      ++out.diverged;
    } else {
      append_row(observations[i], form, i, out);
    }
  }
  out.count = out.source.size();
  number_clusters(observations, out);
  centre_all(out);
  const std::size_t full = padded(out.count);
  for (auto& column : out.log_column)
    if (!column.empty()) column.resize(full, 0);
  out.log_loss.resize(full, 0);
  out.weight.resize(full, 0);
  out.highest.resize(full, std::numeric_limits<double>::infinity());
  return out;
}

double value_on(const Observation& observation, LawAxis axis) {
  switch (axis) {
    case LawAxis::model_size:
      return observation.model_size;
    case LawAxis::data_size:
      return observation.data_size;
    case LawAxis::unique_data:
      return observation.unique_data;
    case LawAxis::compute:
      return observation.compute;
  }
  return Observation::kUnknown;
}

double predict(const Form& form, std::span<const double> parameters, const Observation& point) {
  std::array<std::array<double, kLawLanes>, kLawAxes> columns{};
  std::array<double, kLawLanes> value{};
  std::array<double, kLawLanes * kMostParameters> gradient{};
  LawRows rows;
  rows.count = kLawLanes;
  for (const LawAxis axis : form.axes()) {
    const auto k = static_cast<std::size_t>(axis);
    columns[k].fill(checked_log(value_on(point, axis), std::string(axis_name(axis)), point));
    rows.log_column[k] = columns[k].data();
  }
  form.evaluate(parameters.data(), rows, value.data(), gradient.data());
  return value[0];
}

}  // namespace assay
