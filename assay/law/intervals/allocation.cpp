#include "assay/law/intervals/allocation.h"

#include <cmath>

namespace assay {

std::optional<Allocation> allocation(const Form& form, std::span<const double> parameters,
                                     double compute, double flops_per) {
  const auto named = [&](const char* name) -> std::optional<double> {
    const std::size_t j = form.index(name);
    return j < form.size() ? std::optional(parameters[j]) : std::nullopt;
  };
  const auto a = named("A"), b = named("B"), log_rho = named("log_rho"), alpha = named("alpha");
  if (!alpha || !(log_rho || (a && b))) return std::nullopt;
  const double beta = named("beta").value_or(*alpha);
  if (!(*alpha > 0) || !(beta > 0) || (!log_rho && !(*a > 0 && *b > 0))) return std::nullopt;
  const double log_ratio = std::log(*alpha / beta) - (log_rho ? *log_rho : std::log(*b / *a));
  const double sum = *alpha + beta, log_budget = std::log(compute / flops_per);
  Allocation out;
  out.model_exponent = beta / sum;
  out.data_exponent = *alpha / sum;
  out.loss_exponent = *alpha * beta / sum * named("gamma").value_or(1);
  out.model_size = std::exp(log_ratio / sum + out.model_exponent * log_budget);
  out.data_size = std::exp(out.data_exponent * log_budget - log_ratio / sum);
  return out;
}

double flops_per(std::span<const Observation> observations) {
  double sum = 0, rows = 0;
  for (const Observation& row : observations) {
    const double ratio = std::log(row.compute / (row.model_size * row.data_size));
    if (!std::isfinite(ratio)) continue;
    sum += ratio;
    ++rows;
  }
  return rows > 0 ? std::exp(sum / rows) : 6;
}

}  // namespace assay
