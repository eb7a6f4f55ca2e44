#include "apps/assay/fit_shared.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/assay/console.h"
#include "apps/assay/law_text.h"
#include "assay/core/error.h"

namespace assay::cli {

std::optional<SharedExponents> shared_of(const std::string& share, const TableRows& table,
                                         const LawRequest& request) {
  using Kind = IntervalChoice::Kind;
  if (share == "none") return std::nullopt;
  if (request.form != "auto" && request.form != "chinchilla")
    throw Error("usage.share",
                fmt::format("exponents are shared in the form chinchilla, not in {}", request.form),
                "leave --form or --share out");
  const Kind kind = request.intervals.kind;
  const bool resampled = kind == Kind::bootstrap || kind == Kind::bootstrap_full;
  SharedExponents out =
      share_exponents(table.rows, {.loss = request.fit.loss,
                                   .resamples = resampled ? request.intervals.resamples : 0,
                                   .seed = request.seed});
  if (table.loss_unit == "unknown")
    out.warnings.push_back(
        "the unit of the losses is not known: efficiency factors take all groups to have the same "
        "(--loss-unit or --unit-column)");
  return out;
}

std::string shared_text(const SharedExponents& shared) {
  std::string text =
      fmt::format("shared exponents: alpha {:.4g} ({}), beta {:.4g} ({}); {} of {} starts agree\n",
                  shared.alpha, limits_text(shared.alpha_interval), shared.beta,
                  limits_text(shared.beta_interval), shared.agreeing, shared.starts);
  std::vector<std::vector<std::string>> rows{
      {"group", ">E", ">N is worth", ">95%", ">D is worth", ">95%", ">alpha alone", ">beta alone"}};
  for (const SharedGroup& group : shared.groups)
    rows.push_back({group.group, fmt::format("{:.4g}", group.coefficients[0]),
                    fmt::format("{:.4g}", group.model_efficiency),
                    limits_text(group.model_interval), fmt::format("{:.4g}", group.data_efficiency),
                    limits_text(group.data_interval), fmt::format("{:.4g}", group.own_exponents[0]),
                    fmt::format("{:.4g}", group.own_exponents[1])});
  text += table(rows) +
          fmt::format("that all groups have these exponents: F({:g}, {:g}) = {:.3g}, p = {:.2g}\n",
                      shared.degrees, shared.residual_degrees, shared.statistic, shared.p_value);
  for (const std::string& reason : shared.reasons) text += "not identified: " + reason + "\n";
  if (shared.p_value < 0.05)
    text +=
        "they do not: what N and D are worth holds at no particular scale, so read the separate "
        "laws\n";
  return text;
}

}  // namespace assay::cli
