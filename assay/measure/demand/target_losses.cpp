// Losses of a trial's predictions and of the null predictor, on the same held-out examples.
#include "assay/tensor/torch.h"

#include "assay/measure/demand/target_losses.h"

#include <fmt/format.h>

#include <set>
#include <string_view>

#include "assay/noise/noise.h"

namespace assay::demand {

namespace {

// Fixed by the data alone, as those of heldout_loss.
const Seed kStream = Seed(0).child("demand");

std::vector<int64_t> chosen(const Dataset& data, int64_t wanted, const std::string& purpose,
                            const Subject::State& state, bool coupled) {
  int64_t count = std::min(wanted, data.size());
  if (coupled) {
    count -= count % state.train.batch;
    if (count < 2 * state.train.batch)
      throw Error(
          "measure.too_few_examples",
          fmt::format("demand of an objective that couples examples needs two batches of "
                      "{} to {}, and has {} examples",
                      state.train.batch, purpose, std::min(wanted, data.size())),
          fmt::format("raise measure.demand.{}, use more data, or lower train.batch", purpose));
  }
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < count; ++i)
    ids.push_back(permuted(kStream.child(purpose), data.size(), i));
  return ids;
}

Draw draw_of(const std::string& purpose, int64_t draw, double fraction) {
  return Draw::from(kStream.child(purpose).child(static_cast<uint64_t>(draw)), fraction);
}

template <class Do>
void for_batches(const Dataset& data, std::span<const int64_t> ids, int64_t size, Do&& act) {
  for (size_t at = 0; at < ids.size(); at += static_cast<size_t>(size))
    act(data.get(ids.subspan(at, std::min(static_cast<size_t>(size), ids.size() - at))));
}

/// Recognises an example by its content: the same picture has another id in another split.
class Seen {
 public:
  void add(const Batch& batch) {
    for (const size_t key : keys(batch)) fitted_.insert(key);
  }
  void check(const Batch& batch) {
    for (const size_t key : keys(batch)) {
      ++scored_;
      repeated_ += fitted_.count(key);
    }
  }
  void require_apart() const {
    if (2 * repeated_ <= scored_) return;
    throw Error("measure.leak",
                fmt::format("{} of {} held-out examples are among those that the null predictor "
                            "was fitted on",
                            repeated_, scored_),
                "fit on training examples, and hold out others");
  }

 private:
  static std::vector<size_t> keys(const Batch& batch) {
    const Tensor content =
        (batch.images.defined() ? batch.images : batch.bytes).contiguous().flatten(1);
    const size_t row = static_cast<size_t>(content.size(1)) * content.element_size();
    const char* bytes = static_cast<const char*>(content.const_data_ptr());
    std::vector<size_t> out;
    for (size_t b = 0; b < batch.ids.size(); ++b)
      out.push_back(std::hash<std::string_view>{}({bytes + b * row, row}));
    return out;
  }
  std::set<size_t> fitted_;
  size_t scored_ = 0, repeated_ = 0;
};

/// The first column of each term.
std::map<std::string, size_t> columns_of(const std::vector<Cell>& cells) {
  std::map<std::string, size_t> first;
  for (size_t c = 0; c < cells.size(); ++c) first.emplace(cells[c].term, c);
  return first;
}

/// Adds the losses of one comparison to its term's columns.
void score(const Compared& compared, const Null& null, size_t column, TargetLosses& sums) {
  const LossMap own = compared.loss(compared.prediction, compared.target, {});
  const auto add = [&](Tensor& to, const Tensor& values) {
    to.narrow(1, static_cast<int64_t>(column), values.size(1)) += values.to(at::kDouble).cpu();
  };
  add(sums.loss, own.loss);
  add(sums.targets, own.targets);
  add(sums.null, null.loss(compared));
}

}  // namespace

TargetLosses target_losses(Subject& subject, const Dataset& train, const Dataset& heldout,
                           const TargetPlan& plan) {
  const torch::NoGradGuard no_gradient;
  Objective& objective = subject.objective();
  const Subject::State& state = subject.state();
  const std::vector<int64_t> fit = chosen(train, plan.fit, "fit", state, objective.coupled());
  const std::vector<int64_t> scored =
      chosen(heldout, plan.score, "score", state, objective.coupled());
  const std::vector<Cell> cells = objective.cells();
  const std::map<std::string, size_t> columns = columns_of(cells);

  TargetLosses out;
  std::map<std::string, Null> nulls;
  Seen seen;
  Comparing targets_only;
  targets_only.predictions = false;
  targets_only.see = [&](const Compared& compared) {
    nulls[compared.term].add(compared);
    out.terms[compared.term] = {compared.null, compared.caution, columns.at(compared.term)};
  };
  for_batches(train, fit, state.train.batch, [&](const Batch& batch) {
    seen.add(batch);
    objective.compared_losses(batch, draw_of("fit", 0, state.fraction), targets_only);
  });
  for (auto& [term, null] : nulls) null.fit();

  std::vector<Tensor> loss, null, targets;
  for_batches(heldout, scored, state.train.batch, [&](const Batch& batch) {
    seen.check(batch);
    const auto zeros = [&] {
      return at::zeros({batch.size(), static_cast<int64_t>(cells.size())}, at::kDouble);
    };
    TargetLosses sums{{}, zeros(), zeros(), zeros()};
    Comparing both;
    both.see = [&](const Compared& compared) {
      score(compared, nulls.at(compared.term), columns.at(compared.term), sums);
    };
    for (int64_t j = 0; j < plan.draws; ++j)
      objective.compared_losses(batch, draw_of("score", j, state.fraction), both);
    loss.push_back(sums.loss);
    null.push_back(sums.null);
    targets.push_back(sums.targets);
  });
  seen.require_apart();
  subject.flops_spent +=
      objective.target_flops_per_example() * static_cast<double>(fit.size()) +
      objective.flops_per_example() / 3 * static_cast<double>(std::ssize(scored) * plan.draws);
  out.loss = at::cat(loss);
  out.null = at::cat(null);
  out.targets = at::cat(targets);
  return out;
}

}  // namespace assay::demand
