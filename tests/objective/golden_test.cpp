// Every golden case is checked: one test per case of golden.json.
#include "tests/objective/golden.h"

#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace assay {

namespace {

// Cases that no part of ours computes. teacher_momentum: published constants are per step of long
// runs; ours is a time constant relative to the run (EmaWindow).
const std::set<std::string> kWithoutCounterpart = {"teacher_momentum"};

std::map<std::string, Tensor> tensors(const nlohmann::json& table) {
  std::map<std::string, Tensor> out;
  for (const auto& [key, value] : table.items()) {
    const nlohmann::json& data = value.at("data");
    const auto shape = value.at("shape").get<std::vector<int64_t>>();
    bool whole = true;
    for (const nlohmann::json& number : data) whole = whole && number.is_number_integer();
    out[key] = whole ? at::tensor(data.get<std::vector<int64_t>>(), at::kLong).view(shape)
                     : at::tensor(data.get<std::vector<double>>(), at::kDouble).view(shape);
  }
  return out;
}

std::map<std::string, Golden> read_cases() {
  std::ifstream file(ASSAY_SOURCE_DIR "/tests/golden/golden.json");
  std::map<std::string, Golden> cases;
  for (const nlohmann::json& entry : nlohmann::json::parse(file)) {
    Golden read;
    read.name = entry.at("name").get<std::string>();
    read.inputs = tensors(entry.at("inputs"));
    read.expected = tensors(entry.at("expected"));
    for (const auto& [key, value] : entry.at("options").items()) {
      if (value.is_number()) read.options[key] = {value.get<double>()};
      if (value.is_array()) read.options[key] = value.get<std::vector<double>>();
    }
    cases.emplace(read.name, read);
  }
  return cases;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : golden_cases()) names.push_back(name);
  return names;
}

class GoldenCase : public testing::TestWithParam<std::string> {};

TEST_P(GoldenCase, AgreesWithThePublishedFormula) {
  const auto [first, last] = golden_checks().equal_range(GetParam());
  const bool excused = kWithoutCounterpart.count(GetParam()) > 0;
  ASSERT_NE(first == last, !excused) << "a case is either checked or listed as one without "
                                        "counterpart";
  for (auto check = first; check != last; ++check) check->second(golden(GetParam()));
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& letter : name)
    if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenCase, testing::ValuesIn(case_names()), test_name);

// A renamed case would otherwise lose its check without a word.
TEST(GoldenCases, ClaimsNameCasesThatExist) {
  for (const auto& [name, check] : golden_checks())
    EXPECT_EQ(golden_cases().count(name), 1u) << name;
  for (const std::string& name : kWithoutCounterpart)
    EXPECT_EQ(golden_cases().count(name), 1u) << name;
  EXPECT_GE(golden_cases().size(), 65u);
}

// The comparison itself: a relative error of 2e-6 in one number is seen.
TEST(GoldenCases, ComparisonSeesSmallErrors) {
  const Tensor values = at::tensor({1.0, -0.5, 3.0}, at::kDouble);
  const Tensor off = at::tensor({1.0, -0.500001, 3.0}, at::kDouble);
  EXPECT_TRUE(agrees(values * (1 + 5e-7), values));
  EXPECT_FALSE(agrees(off, values));
  EXPECT_FALSE(agrees(values.narrow(0, 0, 2), values));
}

}  // namespace

const std::map<std::string, Golden>& golden_cases() {
  static const std::map<std::string, Golden> cases = read_cases();
  return cases;
}

std::multimap<std::string, GoldenCheck>& golden_checks() {
  static std::multimap<std::string, GoldenCheck> checks;
  return checks;
}

}  // namespace assay
