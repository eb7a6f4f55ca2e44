// How much of a gradient teaches what the input tells about the target.
#include "assay/tensor/torch.h"

#include "assay/measure/demand/conditional.h"

#include <fmt/format.h>

#include <limits>

#include "assay/measure/demand/ratio.h"
#include "assay/measure/estimate_record.h"
#include "assay/noise/noise.h"
#include "assay/objective/comparing.h"
#include "assay/stats/noise_accumulator.h"

namespace assay::demand {

namespace {

constexpr int64_t kFewestUnits = 8;  // as objective_snr

/// Unbiased |G|² of m units, Σ_{u≠v} g_u·g_v/(m(m − 1)), and without each unit in turn.
struct Square {
  double whole = 0;
  std::vector<double> without;  // [m]
};

Square square_of(const CentredGram& units) {
  const auto m = static_cast<double>(units.count);
  const auto spread = [&](size_t u) { return units.centred[u * units.mean_dot.size() + u]; };
  double trace = 0;
  for (size_t u = 0; u < units.mean_dot.size(); ++u) trace += spread(u);
  Square out{units.mean_squared - trace / (m * (m - 1)), {}};
  for (size_t u = 0; u < units.mean_dot.size(); ++u) {
    const double mean =
        units.mean_squared - 2 * units.mean_dot[u] / (m - 1) + spread(u) / ((m - 1) * (m - 1));
    const double rest = trace - spread(u) * m / (m - 1);
    out.without.push_back(mean - rest / ((m - 1) * (m - 2)));
  }
  return out;
}

/// <C, G>/|G|² with <C, G> = (|G|² + |C|² − |G − C|²)/2: pseudo-values of both, so that their
/// errors stay paired.
MeanRatio share_of(const Square& whole, const Square& conditional, const Square& marginal) {
  const size_t m = whole.without.size();
  const auto product = [](double g, double c, double rest) { return (g + c - rest) / 2; };
  std::vector<double> first, second;
  for (size_t u = 0; u < m; ++u) {
    const auto pseudo = [&](double all, double without) {
      return static_cast<double>(m) * all - static_cast<double>(m - 1) * without;
    };
    first.push_back(pseudo(product(whole.whole, conditional.whole, marginal.whole),
                           product(whole.without[u], conditional.without[u], marginal.without[u])));
    second.push_back(pseudo(whole.whole, whole.without[u]));
  }
  return ratio_of_means(first, second, "the signal |G|²");
}

const NoiseUnits& find(const std::vector<NoiseUnits>& all, const std::string& group,
                       const std::string& part) {
  for (const NoiseUnits& row : all)
    if (row.group == group && row.metric == "euclidean" && row.part == part) return row;
  throw Error("internal.part", fmt::format("no units of {} {}", group, part));
}

int64_t affordable_units(const ConditionalPlan& plan, int64_t parameters, int64_t examples) {
  // Two parts; the accumulator needs five rows of scratch (noise_accumulator.h).
  const int64_t row = 2 * parameters * static_cast<int64_t>(sizeof(float));
  const int64_t by_memory = plan.max_memory_mb * (1 << 20) / row - 5;
  const int64_t by_data = examples / plan.examples_per_unit;
  const int64_t units = std::min({plan.units, by_memory, by_data});
  if (units >= kFewestUnits) return units;
  throw Error("measure.too_few_units",
              fmt::format("demand needs {} units of {} examples, but max_memory_mb = {} allows {} "
                          "and the data {}",
                          kFewestUnits, plan.examples_per_unit, plan.max_memory_mb,
                          std::max<int64_t>(0, by_memory), by_data),
              "raise measure.demand.max_memory_mb, or lower examples_per_unit");
}

/// Of one group: three records.
class Records {
 public:
  Records(const Subject& subject, Weights weights, std::string method)
      : subject_(subject), weights_(to_string(weights)), method_(std::move(method)) {}

  void add(const std::string& quantity, const std::string& unit, const std::string& group,
           const Estimate& estimate, const std::string& interval, const std::string& note = {}) {
    Measurement m = subject_.measurement("demand", quantity, unit);
    m.labels = {{"group", group}, {"metric", "euclidean"}, {"weights", weights_}};
    m.method = method_ + interval;
    m.note = note;
    out.push_back(with_estimate(std::move(m), estimate));
  }
  std::vector<Measurement> out;

 private:
  const Subject& subject_;
  std::string weights_, method_;
};

std::vector<Measurement> refused(const Subject& subject, Weights weights) {
  Records records(subject, weights, "targets shuffled across examples");
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (const char* quantity : {"conditional_signal", "conditional_share"})
    records.add(quantity, std::string(quantity) == "conditional_share" ? "1" : "squared gradient",
                "trunk", {none, none, none, 0, subject.state().train.batch}, "",
                "the loss couples the examples of a batch: with shuffled targets it is another "
                "objective");
  return std::move(records.out);
}

}  // namespace

Tensor next_row(int64_t batch) {
  if (batch < 2)
    throw Error("measure.shuffle", "one example has no other to take a target from",
                "give a unit at least two examples");
  return at::arange(batch, at::kLong).roll(-1);
}

void require_moved(const Tensor& rows, std::span<const int64_t> examples) {
  const int64_t* row = rows.const_data_ptr<int64_t>();
  for (size_t b = 0; b < examples.size(); ++b)
    if (examples[static_cast<size_t>(row[b])] == examples[b])
      throw Error("measure.shuffle",
                  fmt::format("row {} keeps the target of its own example {}: what is left of the "
                              "gradient would count as marginal",
                              b, examples[b]),
                  "shuffle without fixed points, over examples that are all different");
}

ConditionalGradients::ConditionalGradients(Objective& objective, FlatParameters& parameters,
                                           const Dataset& data,
                                           std::function<Tensor(int64_t batch)> rows_of)
    : objective_(objective),
      parameters_(parameters),
      data_(data),
      own_(objective, parameters, data),
      rows_of_(std::move(rows_of)) {}

void ConditionalGradients::gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                                            std::span<float> out) {
  const auto size = static_cast<size_t>(parameters_.size());
  const std::span<float> conditional = out.subspan(0, size), marginal = out.subspan(size, size);
  own_.gradient(examples, draw, conditional);
  Comparing shuffled;
  shuffled.target_rows = rows_of_(static_cast<int64_t>(examples.size()));
  require_moved(shuffled.target_rows, examples);
  const LossMap map = objective_.compared_losses(data_.get(examples), draw, shuffled);
  parameters_.differentiate(training_loss(objective_, map, draw.progress), false);
  const auto gradient = parameters_.gradient_span();
  for (size_t i = 0; i < size; ++i) {
    marginal[i] = gradient[i];
    conditional[i] -= gradient[i];
  }
}

std::vector<Measurement> conditional_records(Subject& subject, Weights weights,
                                             const ConditionalPlan& plan) {
  if (subject.objective().coupled()) return refused(subject, weights);
  const Dataset& data = subject.train();
  ConditionalGradients source(subject.objective(), subject.parameters(), data);
  const NoisePlan noise{.units = affordable_units(plan, source.size(), data.size()),
                        .examples_per_unit = plan.examples_per_unit,
                        .draws = plan.draws,
                        .by_part = true};
  // As objective_snr: other examples at every step, the same for all weights.
  const Seed seed =
      subject.seed().child("demand").child(static_cast<uint64_t>(subject.state().step));
  std::vector<int64_t> examples;
  for (int64_t i = 0; i < noise.units * noise.examples_per_unit; ++i)
    examples.push_back(permuted(seed.child("examples"), data.size(), i));
  subject.objective().train();
  NoiseAccumulator accumulator(source, noise, seed.child("draws"), subject.state().fraction);
  accumulator.add(examples);
  subject.flops_spent +=
      static_cast<double>(std::ssize(examples) * noise.draws) * source.flops_per_example();

  const NoiseView view = accumulator.view();
  const std::vector<NoiseUnits> units = accumulator.units();
  Records records(subject, weights,
                  fmt::format("targets shuffled within {} units of {} examples × {} draws, "
                              "products of different units; ",
                              noise.units, noise.examples_per_unit, noise.draws));
  for (const Group& group : source.groups()) {
    const auto signal = [&](const char* part) {
      Estimate estimate = view.at(group.name, "euclidean", part).signal;
      estimate.n = noise.units * noise.examples_per_unit;
      return estimate;
    };
    const auto square = [&](const char* part) {
      return square_of(find(units, group.name, part).units.means);
    };
    const std::string inverted = "inverted tests of a weighted χ²";
    records.add("conditional_signal", "squared gradient", group.name, signal("conditional"),
                inverted);
    records.add("marginal_signal", "squared gradient", group.name, signal("marginal"), inverted);
    MeanRatio share = share_of(square(""), square("conditional"), square("marginal"));
    share.estimate.n = noise.units * noise.examples_per_unit;
    records.add("conditional_share", "1", group.name, share.estimate,
                "<G_conditional, G>/|G|², Fieller over jackknife pseudo-values", share.note);
  }
  return std::move(records.out);
}

}  // namespace assay::demand
