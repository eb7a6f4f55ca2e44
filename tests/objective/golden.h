// Golden values of published formulas (tests/golden), and how test files claim the cases they
// check.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "assay/objective/registry.h"

namespace assay {

/// One case of golden.json. Tensors are float64; those of whole numbers (classes, labels) int64.
struct Golden {
  std::string name;
  std::map<std::string, Tensor> inputs, expected;
  std::map<std::string, std::vector<double>> options;  // numbers and lists of numbers

  const Tensor& in(const std::string& key) const { return inputs.at(key); }
  const Tensor& want(const std::string& key) const { return expected.at(key); }
  double option(const std::string& key) const { return options.at(key).at(0); }
};

/// All cases by name, read once.
const std::map<std::string, Golden>& golden_cases();
inline const Golden& golden(const std::string& name) { return golden_cases().at(name); }

/// A check of one or more cases. Each case becomes a test of its own, which fails if nobody claims
/// it (golden_test.cpp): every test runs in its own process, so the claims are made before main.
using GoldenCheck = void (*)(const Golden&);
std::multimap<std::string, GoldenCheck>& golden_checks();
struct Claim {
  Claim(const std::vector<std::string>& names, GoldenCheck check) {
    for (const std::string& name : names) golden_checks().emplace(name, check);
  }
};

/// Every number within 1e-6 of the golden one, or within 1e-9 of the largest: golden values have 9
/// digits, and sums leave remainders near zero.
inline testing::AssertionResult agrees(const Tensor& ours, const Tensor& theirs) {
  if (ours.numel() != theirs.numel())
    return testing::AssertionFailure() << ours.sizes() << " against " << theirs.sizes();
  const Tensor a = ours.detach().to(at::kDouble).reshape(-1);
  const Tensor b = theirs.to(at::kDouble).reshape(-1);
  const Tensor allowed = 1e-6 * b.abs() + 1e-9 * b.abs().max() + 1e-12;
  const Tensor excess = (a - b).abs() / allowed;
  const auto worst = excess.argmax().item<int64_t>();
  if (excess[worst].item<double>() <= 1) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << fmt::format("number {} of {} is {:.10g}, golden {:.10g}", worst, b.numel(),
                        a[worst].item<double>(), b[worst].item<double>());
}

/// A registered part in float64. toml: without the line `kind`.
template <class Slot>
std::shared_ptr<Slot> part(const std::string& kind, const std::string& toml = "",
                           const Setting& setting = {}) {
  const std::string table = fmt::format("kind = \"{}\"\n{}", kind, toml);
  std::shared_ptr<Slot> made = make_part<Slot>(parse_toml(table, "golden.toml"), setting, kind);
  if constexpr (std::is_base_of_v<nn::Module, Slot>) made->to(at::kDouble);
  return made;
}

/// name = value, with a decimal point and all digits.
inline std::string real_option(const std::string& name, double value) {
  return fmt::format("{} = {:#.17g}\n", name, value);
}

/// Of a target with so many numbers per token that are no pixels.
inline Setting plain_setting(int64_t outputs, Tokens tokens = Tokens::all) {
  Setting setting;
  setting.target.outputs = outputs;
  setting.target.tokens = tokens;
  return setting;
}

inline BandLoss loss_of(Metric& metric, const Tensor& prediction, const Tensor& target,
                        const NoiseField& field = {}) {
  return metric.loss(prediction, target, field, Tensor());
}
inline Tensor mean_of(const BandLoss& loss) { return loss.loss.sum() / loss.targets.sum(); }

inline Tensor leaf(const Tensor& values) { return values.clone().requires_grad_(true); }
inline Tensor gradient(const Tensor& of, const Tensor& by) {
  return torch::autograd::grad({of}, {by}).at(0);
}

/// Views whose predictions and pooled features are z. [V, N, D]
inline std::vector<View> views_of(const Tensor& z) {
  std::vector<View> views(static_cast<size_t>(z.size(0)));
  for (size_t v = 0; v < views.size(); ++v) {
    views[v].prediction.values = z[static_cast<int64_t>(v)].unsqueeze(1);
    views[v].encoded = views[v].prediction.values;
  }
  return views;
}

/// Losses of all comparisons of a target, in its order. [comparisons, N]
inline Tensor compared(Target& target, Metric& metric, const std::vector<View>& views) {
  std::vector<Tensor> losses;
  for (const Comparison& each : target.comparisons(views)) {
    const View& view = views[each.view];
    losses.push_back(loss_of(metric, view.prediction.values, each.target, view.field).loss.sum(1));
  }
  return at::stack(losses);
}

}  // namespace assay
