// An objective made of terms over one trunk.
#include "assay/objective/composition.h"

#include <fmt/format.h>

#include <set>

namespace assay {

namespace {

// Draws of different terms are independent; an objective of one term uses the draw as it is.
Draw draw_of_term(const Draw& draw, const std::string& term, size_t terms) {
  if (terms == 1) return draw;
  Draw own = draw;
  own.level = draw.level.child(term);
  own.pattern = draw.pattern.child(term);
  return own;
}

}  // namespace

Setting make_setting(const Node& resolved, const ModelConfig& model, const DataShape& data,
                     Seed init) {
  Setting setting;
  setting.init = init;
  setting.model = model;
  setting.data = data;
  setting.tokens = token_shape(model, data);
  setting.level_bins = std::get<int64_t>(resolved.find("level_bins")->value);
  setting.bands = std::get<int64_t>(resolved.find("bands")->value);
  return setting;
}

std::vector<Term> make_terms(const Node& resolved, const Setting& setting) {
  std::vector<Term> terms;
  for (const auto& [name, table] : resolved.find("term")->table())
    terms.emplace_back(name, table, setting);
  std::set<std::string> cells;
  for (const Term& term : terms) {
    if (term.causal() != terms.front().causal())
      throw Error(
          "config.terms",
          fmt::format("terms `{}` and `{}` differ in attention", terms.front().name(), term.name()),
          "all terms of an objective must be causal or none");
    for (const auto& [cell, unit] : term.units())
      if (!cells.insert(cell).second)
        throw Error("config.terms", fmt::format("two terms or regularisers are named `{}`", cell),
                    "give each a name of its own");
  }
  return terms;
}

Composition::Composition(const Node& resolved, const ModelConfig& model, const DataShape& data,
                         Seed init)
    : setting_(make_setting(resolved, model, data, init)), terms_(make_terms(resolved, setting_)) {
  trunk_ = register_module("trunk",
                           std::make_shared<Trunk>(model, setting_.tokens, init.child("trunk")));
  auto head = register_module("head", std::make_shared<nn::Module>("Head"));
  auto teacher = std::make_shared<nn::Module>("Teacher");
  for (Term& term : terms_) {
    head->register_module(term.name(), term.make_head(trunk_));
    const auto target = term.target();
    if (!target->parameters().empty() || !target->buffers().empty())
      teacher->register_module(term.name(), target);
  }
  if (!teacher->children().empty()) register_module("teacher", teacher);
}

std::vector<Cell> Composition::cells() const {
  std::vector<Cell> all;
  for (const Term& term : terms_) all.insert(all.end(), term.cells().begin(), term.cells().end());
  return all;
}

std::map<std::string, std::string> Composition::units() const {
  std::map<std::string, std::string> all;
  for (const Term& term : terms_) all.merge(term.units());
  return all;
}

bool Composition::coupled() const {
  return std::any_of(terms_.begin(), terms_.end(), [](const Term& term) { return term.coupled(); });
}

void Composition::after_step(int64_t step, int64_t steps) {
  const torch::NoGradGuard no_gradient;
  for (const Term& term : terms_) term.target()->after_step(step, steps);
}

std::vector<std::pair<std::string, Tensor>> Composition::state() {
  std::vector<std::pair<std::string, Tensor>> all;
  for (const auto& children : {named_parameters(), named_buffers()})
    for (const auto& item : children)
      if (item.key().rfind("teacher.", 0) == 0) all.emplace_back(item.key(), item.value());
  return all;
}

LossMap Composition::losses(const Batch& batch, const Draw& draw) {
  return compared_losses(batch, draw, {});
}

LossMap Composition::compared_losses(const Batch& batch, const Draw& draw,
                                     const Comparing& comparing) {
  std::vector<Tensor> loss, targets;
  for (const Term& term : terms_) {
    const LossMap map =
        term.losses(batch, draw_of_term(draw, term.name(), terms_.size()), comparing);
    if (!comparing.predictions) continue;
    loss.push_back(map.loss);
    targets.push_back(map.targets);
  }
  if (loss.empty()) return {};
  if (loss.size() == 1) return {loss.front(), targets.front()};
  return {at::cat(loss, 1), at::cat(targets, 1)};
}

std::map<std::string, double> Composition::expected_targets() const {
  std::map<std::string, double> expected;
  for (const Term& term : terms_) expected.merge(term.expected_targets());
  return expected;
}

std::vector<double> Composition::weights(double progress) const {
  std::vector<double> all;
  for (const Term& term : terms_) {
    const std::vector<double> own = term.weights(progress);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

double Composition::flops_per_example() const {
  double sum = 0;
  for (const Term& term : terms_) sum += term.flops();
  return sum;
}

double Composition::target_flops_per_example() const {
  double sum = 0;
  for (const Term& term : terms_) sum += term.target_flops();
  return sum;
}

int64_t Composition::tokens_per_example() const {
  int64_t sum = 0;
  for (const Term& term : terms_) sum += term.tokens();
  return sum;
}

int Composition::level_bins() const {
  int64_t bins = 1;
  for (const Term& term : terms_) bins = std::max(bins, term.level_bins());
  return static_cast<int>(bins);
}

std::vector<std::string> Composition::bands() const {
  // Terms with another set of bands are not resolved in common.
  const std::vector<std::string> first = terms_.front().bands();
  for (const Term& term : terms_)
    if (term.bands() != first) return {};
  return first;
}

std::vector<Tensor> Composition::features(const Batch& batch) {
  TrunkInput input;
  input.tokens = clean_tokens(batch, setting_, trunk_->tensor_options());
  input.causal = terms_.front().causal();
  return trunk_->features(input);
}

double Composition::feature_flops_per_example() const {
  return trunk_->flops(setting_.tokens.tokens);
}

LossMap Objective::compared_losses(const Batch&, const Draw&, const Comparing&) {
  throw Error("objective.comparing", "this objective does not show its targets",
              "override Objective::compared_losses()");
}

Tensor example_losses(const Objective& objective, const LossMap& map, double progress) {
  const std::vector<Cell> cells = objective.cells();
  const std::map<std::string, double> expected = objective.expected_targets();
  std::vector<double> factors = objective.weights(progress);
  for (size_t c = 0; c < factors.size(); ++c) factors[c] /= expected.at(cells[c].term);
  return map.loss.matmul(at::tensor(factors, at::kDouble).to(map.loss.options()));
}

Tensor training_loss(const Objective& objective, const LossMap& map, double progress) {
  return example_losses(objective, map, progress).mean();
}

std::shared_ptr<Objective> make_objective(const Node& resolved, const ModelConfig& model,
                                          const DataShape& data, Seed init) {
  return std::make_shared<Composition>(resolved, model, data, init);
}

}  // namespace assay
