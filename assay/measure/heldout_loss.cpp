// Meter: the objective's own loss on held-out examples, by term and by cell.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include "assay/measure/estimate_record.h"
#include "assay/measure/meter.h"
#include "assay/noise/noise.h"

namespace assay {
namespace {

// Examples and draws are fixed by the data alone: curves are paired along training and between
// trials.
const Seed kStream = Seed(0).child("heldout_loss");

/// Sums over the draws of each example. [n, C] float64
struct Sums {
  Tensor loss, targets;
};

class HeldoutLoss : public Meter {
 public:
  HeldoutLoss(int64_t examples, int64_t draws) : examples_(examples), draws_(draws) {}

  std::vector<Measurement> measure(Subject& subject) override {
    std::vector<Measurement> out;
    for (const Weights weights : {Weights::averaged, Weights::live}) {
      subject.load(weights);
      const Sums sums = accumulate(subject);
      add_terms(subject, weights, sums, out);
      add_total(subject, weights, sums, out);
      add_cells(subject, weights, sums, out);
    }
    return out;
  }

 private:
  Sums accumulate(Subject& subject) const;
  void add_terms(Subject& subject, Weights weights, const Sums& sums,
                 std::vector<Measurement>& out) const;
  void add_total(Subject& subject, Weights weights, const Sums& sums,
                 std::vector<Measurement>& out) const;
  void add_cells(Subject& subject, Weights weights, const Sums& sums,
                 std::vector<Measurement>& out) const;

  int64_t examples_, draws_;
};

Sums HeldoutLoss::accumulate(Subject& subject) const {
  torch::NoGradGuard no_grad;
  const Dataset& data = subject.heldout();
  Objective& objective = subject.objective();
  int64_t count = std::min(examples_, data.size());
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(permuted(kStream.child("ids"), data.size(), i));
  // A coupled objective is another one at another batch size: only whole training batches count.
  const int64_t size_of_batch = subject.state().train.batch;
  if (objective.coupled()) {
    count -= count % size_of_batch;
    if (count < 2 * size_of_batch)
      throw Error(
          "measure.too_few_examples",
          fmt::format("heldout_loss of an objective that couples examples needs two batches "
                      "of {}, and has {} examples",
                      size_of_batch, std::min(examples_, data.size())),
          "raise measure.heldout_loss.examples, hold out more, or lower train.batch");
  }
  std::vector<Tensor> loss, targets;
  for (int64_t at = 0; at < count; at += size_of_batch) {
    const auto size = static_cast<size_t>(std::min(size_of_batch, count - at));
    const Batch batch = data.get(std::span(ids).subspan(static_cast<size_t>(at), size));
    for (int64_t j = 0; j < draws_; ++j) {
      const Seed seed = kStream.child("draws").child(static_cast<uint64_t>(j));
      const LossMap map = objective.losses(batch, Draw::from(seed, subject.state().fraction));
      const Tensor losses = map.loss.to(torch::kFloat64), counts = map.targets.to(torch::kFloat64);
      if (j == 0) {
        loss.push_back(losses);
        targets.push_back(counts);
      } else {
        loss.back() = loss.back() + losses;
        targets.back() = targets.back() + counts;
      }
    }
  }
  // A pass without gradient is a third of a training pass.
  subject.flops_spent += objective.flops_per_example() / 3 * static_cast<double>(count * draws_);
  return {torch::cat(loss), torch::cat(targets)};
}

std::vector<double> to_vector(const Tensor& values) {
  const Tensor flat = values.contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// In the order of cells: a term before its regularisers.
std::vector<std::string> terms_of(const std::vector<Cell>& cells) {
  std::vector<std::string> terms;
  for (const Cell& cell : cells)
    if (std::find(terms.begin(), terms.end(), cell.term) == terms.end()) terms.push_back(cell.term);
  return terms;
}

/// What training minimises, weights and regularisers included. Rows of a coupled objective are not
/// independent: its units are whole batches.
void HeldoutLoss::add_total(Subject& subject, Weights weights, const Sums& sums,
                            std::vector<Measurement>& out) const {
  Objective& objective = subject.objective();
  const LossMap map{sums.loss / static_cast<double>(draws_), {}};
  Tensor units = example_losses(objective, map, subject.state().fraction);
  if (objective.coupled()) units = units.view({-1, subject.state().train.batch}).mean(1);
  Measurement m = subject.measurement("heldout_loss", "training_loss", "weighted");
  m.labels = {{"weights", to_string(weights)}};
  m.method =
      fmt::format("mean over held-out {} of the loss as training weighs it, {} draws each; t",
                  objective.coupled() ? "batches" : "examples", draws_);
  out.push_back(with_estimate(std::move(m), mean_interval(to_vector(units))));
}

void HeldoutLoss::add_terms(Subject& subject, Weights weights, const Sums& sums,
                            std::vector<Measurement>& out) const {
  const std::vector<Cell> cells = subject.objective().cells();
  const std::map<std::string, std::string> units = subject.objective().units();
  const std::map<std::string, double> targets = subject.objective().expected_targets();
  for (const std::string& term : terms_of(cells)) {
    const double expected = targets.at(term);
    Tensor per_example = torch::zeros({sums.loss.size(0)}, torch::kFloat64);
    for (size_t c = 0; c < cells.size(); ++c)
      if (cells[c].term == term) per_example += sums.loss.select(1, static_cast<int64_t>(c));
    per_example /= expected * static_cast<double>(draws_);
    Measurement m = subject.measurement("heldout_loss", "loss_per_target", units.at(term));
    m.labels = {{"weights", to_string(weights)}, {"term", term}};
    m.method = fmt::format(
        "mean over held-out examples of the unweighted loss over the expected targets, {} draws "
        "each; t over examples",
        draws_);
    out.push_back(with_estimate(std::move(m), mean_interval(to_vector(per_example))));
  }
}

/// Ratio of mean loss to mean targets, with the t-interval of its linearisation (loss − ratio ·
/// targets) / mean targets: most examples have no target in a given noise level.
Estimate ratio_of_means(const Tensor& loss, const Tensor& targets) {
  const double mean_targets = targets.mean().item<double>();
  const double ratio = loss.mean().item<double>() / mean_targets;
  Estimate estimate = mean_interval(to_vector((loss - targets * ratio) / mean_targets));
  estimate.value += ratio;
  estimate.low += ratio;
  estimate.high += ratio;
  estimate.n = targets.gt(0).sum().item<int64_t>();
  return estimate;
}

void HeldoutLoss::add_cells(Subject& subject, Weights weights, const Sums& sums,
                            std::vector<Measurement>& out) const {
  const std::vector<Cell> cells = subject.objective().cells();
  const std::vector<std::string> bands = subject.objective().bands();
  const std::map<std::string, std::string> units = subject.objective().units();
  for (size_t c = 0; c < cells.size(); ++c) {
    const Cell& cell = cells[c];
    if (cell.level_bin < 0 && cell.band < 0) continue;  // the term itself
    Measurement m = subject.measurement("heldout_loss", "loss_per_target", units.at(cell.term));
    m.labels = {{"weights", to_string(weights)}, {"term", cell.term}};
    if (cell.level_bin >= 0) m.labels["level"] = fmt::format("{}", cell.level_bin);
    if (cell.band >= 0) m.labels["band"] = bands.at(static_cast<size_t>(cell.band));
    m.method =
        "mean loss over mean targets of the cell, n = examples with targets in it; t over "
        "examples, linearised";
    const auto column = static_cast<int64_t>(c);
    out.push_back(with_estimate(
        std::move(m), ratio_of_means(sums.loss.select(1, column), sums.targets.select(1, column))));
  }
}

}  // namespace

namespace meters {

MeterEntry heldout_loss() {
  using namespace declare;
  return {"heldout_loss",
          "the objective's own loss on held-out examples, by term and by cell",
          {integer("examples", 1024, at_least(2), "held-out examples, or all there are"),
           integer("draws", 1, at_least(1), "draws of the objective's randomness per example")},
          [](const Options& options) -> std::unique_ptr<Meter> {
            return std::make_unique<HeldoutLoss>(options.integer("examples"),
                                                 options.integer("draws"));
          }};
}

}  // namespace meters
}  // namespace assay
