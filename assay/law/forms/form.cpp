#include "assay/law/forms/form.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "assay/core/error.h"

namespace assay {
namespace {

using Maker = std::function<FormPointer(LawAxis)>;

const std::vector<std::pair<std::string, Maker>>& makers() {
  static const std::vector<std::pair<std::string, Maker>> table = {
      {"power", make_power},
      {"floor_power", make_floor_power},
      {"bounded", make_bounded},
      {"one_break", make_one_break},
      {"chinchilla", [](LawAxis) { return make_chinchilla(); }},
      {"tied", [](LawAxis) { return make_tied(); }},
      {"outer", [](LawAxis) { return make_outer(); }},
      {"repetition", [](LawAxis) { return make_repetition(false); }},
      {"repetition_tied", [](LawAxis) { return make_repetition(true); }},
  };
  return table;
}

}  // namespace

std::string_view axis_name(LawAxis axis) {
  constexpr std::string_view names[] = {"model_size", "data_size", "unique_data", "compute"};
  return names[static_cast<std::size_t>(axis)];
}

std::string_view axis_symbol(LawAxis axis) {
  constexpr std::string_view symbols[] = {"N", "D", "U", "C"};
  return symbols[static_cast<std::size_t>(axis)];
}

Form::Form(std::string name, std::string formula, std::string source, std::vector<LawAxis> axes,
           std::size_t coefficients, std::vector<LawParameter> parameters, std::size_t least_rows)
    : name_(std::move(name)),
      formula_(std::move(formula)),
      source_(std::move(source)),
      axes_(std::move(axes)),
      coefficients_(coefficients),
      parameters_(std::move(parameters)),
      least_rows_(std::max(least_rows, parameters_.size() + 1)) {}

bool Form::has(LawAxis axis) const {
  return std::find(axes_.begin(), axes_.end(), axis) != axes_.end();
}

std::size_t Form::index(std::string_view parameter) const {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(),
                   [&](const LawParameter& candidate) { return candidate.name == parameter; });
  return static_cast<std::size_t>(found - parameters_.begin());
}

void Form::sum_terms(const double* parameters, const LawRows& rows, const double* gradient,
                     double* value) const {
  const std::size_t n = rows.count;
  for (std::size_t i = 0; i < n; ++i) value[i] = parameters[0] * gradient[i];
  for (std::size_t k = 1; k < coefficients_; ++k)
    for (std::size_t i = 0; i < n; ++i) value[i] += parameters[k] * gradient[k * n + i];
}

FormPointer make_form(std::string_view name, LawAxis axis) {
  for (const auto& [known, make] : makers())
    if (known == name) return make(axis);
  throw Error("usage.form", "there is no form `" + std::string(name) + "`",
              suggest(name, form_names()));
}

const std::vector<std::string>& form_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& entry : makers()) out.push_back(entry.first);
    return out;
  }();
  return names;
}

std::vector<double> even_grid(double low, double high, std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = low + (high - low) * static_cast<double>(i) / static_cast<double>(count - 1);
  return out;
}

std::vector<double> log_grid(double low, double high, std::size_t count) {
  std::vector<double> out = even_grid(std::log(low), std::log(high), count);
  for (double& value : out) value = std::exp(value);
  return out;
}

}  // namespace assay
