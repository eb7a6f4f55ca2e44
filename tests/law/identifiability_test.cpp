// Designs that cannot identify what a form asks for are refused, with what would.
#include "assay/law/validation/identifiability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

Identifiability judge(const std::vector<Observation>& table, const char* name = "chinchilla",
                      LawAxis axis = LawAxis::data_size) {
  const LawProblem problem = law_problem(table, make_form(name, axis));
  return identifiability(problem, fit_law(problem));
}

TEST(Identifiability, AGoodDesignPasses) {
  const Identifiability found = judge(square(5, 2, 0.005, 41));
  EXPECT_TRUE(found.identifiable);
  EXPECT_TRUE(found.reasons.empty());
  EXPECT_FALSE(found.slope);
}

TEST(Identifiability, ASingleLineIsRefused) {
  std::vector<Observation> table;
  for (const Observation& row : square(20, 3, 0.002, 42))
    if (std::fabs(row.data_size / (100 * row.model_size) - 1) < 1e-6) table.push_back(row);
  ASSERT_EQ(table.size(), 20u);
  const Identifiability found = judge(table);
  EXPECT_FALSE(found.identifiable);
  EXPECT_THAT(found.reasons, Contains(HasSubstr("single line")));
  EXPECT_THAT(found.remedies, Contains(HasSubstr("off the line")));
  ASSERT_TRUE(found.slope);
  EXPECT_GT(found.slope->exponent, 0.02);
  EXPECT_LT(found.slope->limits.low, found.slope->exponent);
}

TEST(Identifiability, NarrowAndConstantColumnsAreRefused) {
  const FormPointer form = make_form("chinchilla");
  const auto narrow =
      crossed(*form, kChinchillaLike, decades(1e8, 0.3, 5), decades(1e9, 2, 5), 0.005);
  EXPECT_THAT(judge(narrow).reasons, Contains(HasSubstr("model_size covers 0.30 decades")));
  const auto constant = crossed(*form, kChinchillaLike, {1e8}, decades(1e9, 2, 8), 0.005);
  EXPECT_THAT(judge(constant).reasons, Contains(HasSubstr("model_size has 1 different value")));
}

TEST(Identifiability, SeedsAreNotDesignPoints) {
  std::vector<Observation> table;
  for (uint64_t seed = 0; seed < 6; ++seed)
    for (const Observation& row : square(2, 2, 0.005, 50 + seed)) table.push_back(row);
  EXPECT_THAT(judge(table).reasons, Contains(HasSubstr("4 different design points")));
}

// E = .2 of losses between 3.6 and 2: over one decade with noise .01 any floor will do.
TEST(Identifiability, AnExponentThatTradesOffAgainstTheFloorIsRefused) {
  const FormPointer form = make_form("floor_power");
  const auto table = crossed(*form, {0.2, 10, 0.12}, {1, 1}, decades(1e4, 1, 6), 0.01, 43);
  const Identifiability found = judge(table, "floor_power");
  EXPECT_FALSE(found.identifiable);
  EXPECT_THAT(found.reasons, Contains(HasSubstr("trades off against the floor")));
  ASSERT_TRUE(found.slope);
  EXPECT_LT(found.slope->limits.low, 0.12);
  // Without a floor the same rows give an exponent.
  EXPECT_TRUE(judge(table, "power").identifiable);
}

// A step between two sizes: the steepest exponent that is allowed fits best.
TEST(Identifiability, AnExponentAtTheEndOfItsRangeIsRefused) {
  std::vector<Observation> table = square(5, 2, 0.005, 45);
  for (Observation& row : table)
    row.loss = (row.model_size < 1.5e7 ? 4 : 3) * std::pow(row.data_size / 1e10, -0.2) *
               (row.loss / predict(*make_form("chinchilla"), kChinchillaLike, row));
  const Identifiability found = judge(table);
  EXPECT_FALSE(found.identifiable);
  EXPECT_THAT(found.reasons, Contains(HasSubstr("the end of the range in which it is sought")));
}

TEST(Identifiability, AnExponentOfAColumnThatDoesNotMatterIsRefused) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    std::vector<Observation> table = square(5, 2, 0.005, 60 + seed);
    for (Observation& row : table)
      row.loss = (1.8 + 2100 * std::pow(row.data_size, -0.37)) *
                 (row.loss / predict(*make_form("chinchilla"), kChinchillaLike, row));
    const Identifiability found = judge(table);
    EXPECT_FALSE(found.identifiable) << seed;
    EXPECT_THAT(found.reasons,
                Contains(AnyOf(HasSubstr("alpha is not determined"), HasSubstr("A is zero"),
                               HasSubstr("alpha lies at 0.005"))))
        << seed;
  }
}

TEST(Identifiability, AFailedFitIsNotIdentifiable) {
  const Identifiability found = judge(square(2, 2, 0.005, 44));
  EXPECT_FALSE(found.identifiable);
  EXPECT_THAT(found.reasons, Contains(HasSubstr("needs at least")));
}

}  // namespace
}  // namespace assay
