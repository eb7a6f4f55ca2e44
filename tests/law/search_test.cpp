// The grid of starts and what is made of it.
#include "assay/law/fit/search.h"

#include <gtest/gtest.h>

#include <cmath>

#include "assay/law/fit/entangled.h"
#include "assay/law/fit/factored_grid.h"
#include "law/laws.h"

namespace assay {
namespace {

using testing::kChinchillaLike;
using testing::square;

// Near the minimum ratio_sum and the sum of log residuals agree; 5% apart at the far ends of the
// grid.
TEST(LawSearch, AFactoredGridHasTheValuesOfTheObjective) {
  for (const char* name : {"power", "floor_power", "tied", "chinchilla"}) {
    const FormPointer form = make_form(name);
    ASSERT_TRUE(FactoredGrid::possible(*form));
    const LawProblem problem = law_problem(square(5, 0.5, 0.01, 3), form);
    LawObjective objective(*form, problem.rows, 0.03);
    FactoredGrid grid(objective);
    const std::size_t count = form->coefficients(), theta = form->size() - count;
    for (std::size_t k = 0; k < 20; k += 3) {
      std::size_t at[kMostParameters] = {};
      LawVector point(static_cast<Eigen::Index>(form->size()));
      for (std::size_t j = 0; j < theta; ++j) {
        at[j] = k + j;
        point[static_cast<Eigen::Index>(count + j)] = form->parameters()[count + j].grid[at[j]];
      }
      objective.project(point.data() + count, point.data());
      const double expected = objective.value(point);
      EXPECT_NEAR(grid.value(at), expected, 0.06 * expected) << name << " at " << k;
    }
  }
  for (const char* name : {"bounded", "one_break", "outer", "repetition"})
    EXPECT_FALSE(FactoredGrid::possible(*make_form(name))) << name;
}

// A descent ends where the gradient vanishes inside the bounds, however far its start.
TEST(LawSearch, ADescentReachesTheMinimumOfAnEntangledForm) {
  const FormPointer form = make_form("outer");
  const std::vector<double> truth = {1.8, 400, 0.4, 0.45, 1.5, 0.8};
  const LawProblem problem = law_problem(
      testing::crossed(*form, truth, testing::decades(1e7, 2, 6), testing::decades(1e9, 2, 6)),
      form);
  LawObjective objective(*form, problem.rows, 0.03);
  StartGrid grid(*form);
  const std::vector<GridStart> starts = probed(objective, grid.starts(objective, 16), 4);
  ASSERT_EQ(starts.size(), 4u);
  EXPECT_LT(starts.front().objective, 1e-4);
  const SearchResult found = polish_all(objective, starts, {}, true);
  EXPECT_LT(found.best.objective, 1e-20) << "noiseless losses: the law passes through all of them";
  EXPECT_GE(found.starts, 4);
  EXPECT_GE(found.agreeing, 1);
}

// Four starts, one minimum: they meet, and are counted as four that agree.
TEST(LawSearch, StartsThatMeetAreCountedEach) {
  const FormPointer form = make_form("chinchilla");
  const LawProblem problem = law_problem(square(6, 2, 0.005, 5), form);
  const LawFit fit = fit_law(problem);
  EXPECT_EQ(fit.starts, 4);
  EXPECT_EQ(fit.agreeing, 4);
  EXPECT_TRUE(fit.converged);
}

// Losses that fall with D alone at two sizes leave alpha without a minimum inside its bounds.
TEST(LawSearch, AMinimumAtABoundIsFoundAndNamed) {
  auto table = square(5, 2, 0.002, 11);
  for (Observation& row : table)
    row.loss = 2 + 3 * std::pow(row.data_size / 1e9, -0.4) + (row.model_size < 2e7 ? 0.1 : 0);
  const FormPointer form = make_form("chinchilla");
  const LawFit fit = fit_law(law_problem(table, form), {.loss = RobustLoss::huber(1e-3)});
  ASSERT_EQ(fit.at_bound, std::vector<std::string>{"alpha"});
  EXPECT_EQ(fit.centred[3], 4);
}

}  // namespace
}  // namespace assay
