#include "assay/law/shared/shared_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "assay/core/error.h"
#include "assay/law/intervals/profile.h"
#include "assay/law/table/file.h"
#include "assay/law/validation/identifiability.h"

namespace assay {
namespace {

constexpr int64_t kLeastRows = 8;      // ν_g > 2 degrees of freedom: 1/λ has a mean
constexpr double kLeastScale = 1e-14;  // of λ: losses without noise

Error refusal(const std::string& message, const std::string& help) {
  return Error("law.shared", message, help);
}

// The groups' common exponents need one group whose design tells them.
void require_a_design(const std::vector<FittedGroup>& groups) {
  std::string faults;
  for (const FittedGroup& group : groups) {
    const Identifiability design = design_faults(group.problem);
    if (design.identifiable) return;
    faults += fmt::format("{}{}: {}", faults.empty() ? "" : "; ", in_backticks(group.name),
                          design.reasons.front());
  }
  throw refusal("no group's design tells exponents apart, so none can be shared: " + faults,
                "runs of one group at 4 or more values of N and of D, crossed, over at least 1.5 "
                "decades of each");
}

}  // namespace

double FittedGroup::scale() const { return std::max(likelihood_scale(problem, own), kLeastScale); }

std::vector<FittedGroup> fitted_groups(std::span<const Observation> observations,
                                       const RobustLoss& loss) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Observation>> rows;
  std::set<std::string> units;
  for (const Observation& row : observations) {
    if (!rows.contains(row.group)) order.push_back(row.group);
    rows[row.group].push_back(row);
    if (row.status != ObservationStatus::diverged) units.insert(row.loss_unit);
  }
  if (order.size() < 2)
    throw refusal("exponents are shared between groups, and the rows are of one group",
                  "name the column that tells them apart with --group-column");
  if (units.size() > 1)
    throw refusal(fmt::format("losses are in different units ({} and {}): a unit would enter the "
                              "efficiency factors",
                              in_backticks(*units.begin()), in_backticks(*units.rbegin())),
                  "share exponents of losses in one unit, or fit each group alone");
  std::vector<FittedGroup> out;
  for (const std::string& name : order) {
    FittedGroup group{name, law_problem(rows[name], make_form("chinchilla")), {}, 6};
    group.own = fit_law(group.problem, {.loss = loss});
    group.flops_per = flops_per(rows[name]);
    const bool few = group.own.measured() < kLeastRows;
    if (few || !group.own.usable())
      throw refusal(fmt::format("group {}: {}", in_backticks(name),
                                few ? fmt::format("{} measured rows, and sharing needs at least {}",
                                                  group.own.measured(), kLeastRows)
                                    : group.own.failure),
                    "leave the group out with --where, or add runs of other N and D");
    out.push_back(std::move(group));
  }
  require_a_design(out);
  return out;
}

}  // namespace assay
