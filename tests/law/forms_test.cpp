// Every form: gradients against central differences, change of units, recovery without noise.
#include "assay/law/forms/form.h"

#include <gtest/gtest.h>

#include <cmath>

#include "assay/core/error.h"
#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;

struct Example {
  std::string form;
  std::vector<double> parameters;  // in table units, for N about 1e6 and D about 1e8
};

std::vector<Example> examples() {
  return {{"power", {40, 0.17}},
          {"floor_power", {1.1, 300, 0.33}},
          {"bounded", {0.1, 0.9, 0.6, 18, 1.7}},
          {"one_break", {0.3, 5, 0.05, 0.3, 18, 0.4}},
          {"chinchilla", {1.2, 90, 700, 0.32, 0.41}},
          {"tied", {1.2, 90, 300, 0.34}},
          {"outer", {1.1, 120, 0.5, 0.6, 2.5, 0.7}},
          {"repetition", {1.2, 90, 500, 0.33, 0.37, 12, 5}},
          {"repetition_tied", {1.2, 90, 300, 0.34, 12, 5}}};
}

std::vector<Observation> table_of(const Example& example, double sigma = 0) {
  const FormPointer form = make_form(example.form);
  const bool one_axis = form->axes().size() == 1;
  return crossed(*form, example.parameters, one_axis ? decades(1e6, 0, 2) : decades(1e5, 2.5, 6),
                 one_axis ? decades(1e5, 6, 30) : decades(1e6, 3, 7), sigma);
}

class EveryForm : public ::testing::TestWithParam<Example> {};

TEST_P(EveryForm, GradientAgreesWithCentralDifferences) {
  const FormPointer form = make_form(GetParam().form);
  const LawProblem problem = law_problem(table_of(GetParam()), form);
  const LawRows rows = problem.rows.rows();
  LawUnits reverse = problem.rows.units;
  for (double& value : reverse.log_axis) value = -value;
  reverse.log_loss = -reverse.log_loss;
  std::vector<double> at = GetParam().parameters;
  form->change_units(reverse, at.data());

  const std::size_t n = rows.count, p = form->size();
  std::vector<double> value(n), gradient(n * p), up(n), down(n), unused(n * p);
  form->evaluate(at.data(), rows, value.data(), gradient.data());
  for (std::size_t j = 0; j < p; ++j) {
    const double step = 1e-6 * std::max(1.0, std::fabs(at[j]));
    std::vector<double> moved = at;
    moved[j] = at[j] + step;
    form->evaluate(moved.data(), rows, up.data(), unused.data());
    moved[j] = at[j] - step;
    form->evaluate(moved.data(), rows, down.data(), unused.data());
    double size = 0;
    for (std::size_t i = 0; i < problem.rows.count; ++i)
      size = std::max(size, std::fabs(gradient[j * n + i]));
    EXPECT_GT(size, 0);
    // Truncation 1e-12 of the third derivative, rounding 1e-16/1e-6 of the value.
    for (std::size_t i = 0; i < problem.rows.count; ++i)
      EXPECT_NEAR(gradient[j * n + i], (up[i] - down[i]) / (2 * step), 2e-8 * (1 + size))
          << form->parameters()[j].name << " at row " << i;
  }
}

TEST_P(EveryForm, KeepsItsPredictionsWhenUnitsChange) {
  const FormPointer form = make_form(GetParam().form);
  const LawUnits units{{0.7, -1.3, -1.3, 0.4}, 0.25};
  std::vector<double> parameters = GetParam().parameters, changed = parameters;
  for (const Observation& row : table_of(GetParam())) {
    changed = parameters;
    form->change_units(units, changed.data());
    Observation other = row;
    if (form->axes().size() == 1) {
      other.data_size *= std::exp(units.log_axis[1]);
    } else {
      other.model_size *= std::exp(units.log_axis[0]);
      other.data_size *= std::exp(units.log_axis[1]);
      other.unique_data *= std::exp(units.log_axis[2]);
    }
    EXPECT_NEAR(predict(*form, changed, other) / (predict(*form, parameters, row) * std::exp(0.25)),
                1, 1e-13);
  }
}

TEST_P(EveryForm, IsRecoveredFromLossesWithoutNoise) {
  const LawProblem problem = law_problem(table_of(GetParam()), make_form(GetParam().form));
  for (const RobustLoss& loss :
       {RobustLoss::automatic(), RobustLoss::huber(1e-3), RobustLoss::least_squares()}) {
    const LawFit fit = fit_law(problem, {.loss = loss});
    ASSERT_TRUE(fit.usable()) << fit.failure;
    EXPECT_TRUE(fit.converged) << fit.gradient_ratio;
    for (std::size_t j = 0; j < fit.parameters.size(); ++j)
      EXPECT_NEAR(fit.parameters[j] / GetParam().parameters[j], 1, 1e-8)
          << problem.form->parameters()[j].name << " objective " << fit.objective;
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, EveryForm, ::testing::ValuesIn(examples()),
                         [](const auto& example) { return example.param.form; });

TEST(Forms, EveryNameHasAnExampleHere) {
  std::vector<std::string> here;
  for (const Example& example : examples()) here.push_back(example.form);
  EXPECT_EQ(here, form_names());
}

TEST(Forms, AnUnknownNameIsAnErrorWithTheNearest) {
  try {
    make_form("chinchila");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "usage.form");
    EXPECT_NE(error.help().find("chinchilla"), std::string::npos);
  }
}

}  // namespace
}  // namespace assay
