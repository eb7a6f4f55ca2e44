// Runs a gradient source on paired draws and turns what it gives into estimates.
#include "assay/stats/noise_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "assay/core/error.h"
#include "assay/stats/kernels.h"

namespace assay {
namespace {

void check(const NoisePlan& plan, std::span<const int64_t> examples) {
  const int64_t fewest = plan.exhaustive ? 1 : 5, fewest_draws = plan.exhaustive ? 1 : 2;
  if (plan.units < fewest || plan.draws < fewest_draws || plan.examples_per_unit < 1) {
    throw Error("stats.plan",
                fmt::format("{} units of {} examples with {} draws give no estimate", plan.units,
                            plan.examples_per_unit, plan.draws),
                "measure at least 5 units with at least 2 draws each");
  }
  if (plan.exhaustive && plan.examples_per_unit != 1) {
    throw Error("stats.plan", "an exhaustive plan has one example to a unit",
                "set examples_per_unit = 1");
  }
  const size_t wanted = static_cast<size_t>(plan.units * plan.examples_per_unit);
  if (examples.size() != wanted) {
    throw Error("stats.examples",
                fmt::format("the plan needs {} examples, {} were given", wanted, examples.size()));
  }
  const std::unordered_set<int64_t> distinct(examples.begin(), examples.end());
  if (distinct.size() != examples.size()) {
    throw Error("stats.examples", "an example occurs twice: its noise would count as resolved",
                "give distinct examples");
  }
}

Draw draw_of(const NoisePlan& plan, Seed seed, int64_t unit, int64_t index, double progress) {
  Draw draw;
  if (plan.exhaustive) {
    draw.level = draw.pattern = Seed(static_cast<uint64_t>(index));
    draw.progress = progress;
  } else {
    const Seed own = seed.child(static_cast<uint64_t>(unit)).child(static_cast<uint64_t>(index));
    draw = Draw::from(own, progress);
  }
  draw.level_bin = plan.level_bin;
  return draw;
}

// W_u = Σ_j |g_j − ḡ|² from differences to the first draw, e_j = g_j − g_1: Σ|e_j|² − |Σ e_j|²/r.
// Where draws do not differ, every e_j is exactly zero, and so is the objective's variance. View 0
// is the whole loss, views 1 … the parts, if it was resolved into any.
class WithinUnit {
 public:
  WithinUnit(const GroupLayout& layout, const std::vector<DiagonalMetric>& metrics, int64_t parts)
      : layout_(layout),
        metrics_(metrics),
        size_(static_cast<size_t>(layout.size())),
        parts_(static_cast<size_t>(parts)),
        sum_(std::max<size_t>(1, parts_) * size_),
        difference_(size_),
        whole_(parts_ > 0 ? size_ : 0) {
    clear();
  }

  size_t views() const { return parts_ + 1; }

  void clear() {
    std::fill(sum_.begin(), sum_.end(), 0.0f);
    squares_.assign(views() * metrics_.size(), std::vector<double>(layout_.groups().size(), 0.0));
  }

  void add(std::span<const float> current, std::span<const float> first) {
    std::fill(whole_.begin(), whole_.end(), 0.0f);
    for (size_t start = 0, view = parts_ > 0 ? 1 : 0; start < sum_.size(); start += size_, ++view) {
      for (size_t i = 0; i < size_; ++i) {
        difference_[i] = current[start + i] - first[start + i];
        sum_[start + i] += difference_[i];
      }
      for (size_t i = 0; i < whole_.size(); ++i) whole_[i] += difference_[i];
      add_squares(view, difference_, 1);
    }
    if (parts_ > 0) add_squares(0, whole_, 1);
  }

  // Takes |Σ e_j|²/r off and turns the first draw into the mean over draws.
  void finish(int64_t draws, std::span<float> first) {
    const float inverse = 1.0f / static_cast<float>(draws);
    std::fill(whole_.begin(), whole_.end(), 0.0f);
    for (size_t start = 0, view = parts_ > 0 ? 1 : 0; start < sum_.size(); start += size_, ++view) {
      const std::span<const float> sum = std::span(sum_).subspan(start, size_);
      for (size_t i = 0; i < size_; ++i) first[start + i] += sum[i] * inverse;
      for (size_t i = 0; i < whole_.size(); ++i) whole_[i] += sum[i];
      add_squares(view, sum, -1 / static_cast<double>(draws));
    }
    if (parts_ > 0) add_squares(0, whole_, -1 / static_cast<double>(draws));
  }

  double squares(size_t view, size_t metric, size_t group) const {
    return squares_[view * metrics_.size() + metric][group];
  }

 private:
  void add_squares(size_t view, std::span<const float> values, double factor) {
    std::vector<double> norms(layout_.groups().size());
    for (size_t metric = 0; metric < metrics_.size(); ++metric) {
      squared_norms(values, metrics_[metric].weight, layout_, norms);
      std::vector<double>& out = squares_[view * metrics_.size() + metric];
      for (size_t group = 0; group < norms.size(); ++group) out[group] += factor * norms[group];
    }
  }

  const GroupLayout& layout_;
  const std::vector<DiagonalMetric>& metrics_;
  size_t size_, parts_;
  std::vector<float> sum_, difference_, whole_;
  std::vector<std::vector<double>> squares_;  // [views × metrics][groups]
};

// Everything kept of the run: unit means over draws and sums of squares within units.
class Collected {
 public:
  Collected(const NoisePlan& plan, const GroupLayout& layout, int64_t parts, size_t metrics)
      : size_(layout.size()),
        blocks_(std::max<int64_t>(1, parts)),
        units_(plan.units),
        means_(static_cast<size_t>(units_ * blocks_ * size_)),
        within_(static_cast<size_t>(parts + 1) * metrics * layout.groups().size(),
                std::vector<double>(static_cast<size_t>(units_))) {}

  std::span<float> unit(int64_t index) {
    const size_t length = static_cast<size_t>(blocks_ * size_);
    return std::span(means_).subspan(static_cast<size_t>(index) * length, length);
  }
  std::vector<double>& within(size_t cell) { return within_[cell]; }

  // View 0 is the sum of the parts, made while it is read.
  Rows rows(size_t view) const {
    const int64_t first = view == 0 ? 0 : static_cast<int64_t>(view) - 1;
    const int64_t last = view == 0 ? blocks_ : first + 1;
    return {units_, [this, first, last](int64_t row, int64_t begin, std::span<float> out) {
              for (int64_t block = first; block < last; ++block) {
                const float* in = means_.data() + (row * blocks_ + block) * size_ + begin;
                for (size_t i = 0; i < out.size(); ++i) out[i] += in[i];
              }
            }};
  }

 private:
  int64_t size_, blocks_, units_;
  std::vector<float> means_;
  std::vector<std::vector<double>> within_;  // [views × metrics × groups][units]
};

}  // namespace

const NoiseEstimate& NoiseView::at(const std::string& group, const std::string& metric,
                                   const std::string& part) const {
  for (const NoiseRow& row : rows) {
    if (row.group == group && row.metric == metric && row.part == part) return row.estimate;
  }
  throw Error("stats.row", fmt::format("nothing was measured for group {}, metric {}, part {}",
                                       group, metric, part.empty() ? "(whole)" : part));
}

NoiseView measure_noise(GradientSource& source, std::span<const int64_t> examples,
                        const NoisePlan& plan, Seed seed, double progress,
                        const std::vector<DiagonalMetric>& given) {
  check(plan, examples);
  const GroupLayout layout(source.groups(), source.size());
  const std::vector<std::string> names = plan.by_part ? source.parts() : std::vector<std::string>{};
  const int64_t parts = static_cast<int64_t>(names.size());
  std::vector<DiagonalMetric> metrics = {{"euclidean", {}}};
  metrics.insert(metrics.end(), given.begin(), given.end());
  const size_t groups = layout.groups().size();

  Collected collected(plan, layout, parts, metrics.size());
  WithinUnit within(layout, metrics, parts);
  std::vector<float> current(collected.unit(0).size());
  const auto evaluate = [&](int64_t unit, int64_t draw, std::span<float> out) {
    const std::span<const int64_t> ids =
        examples.subspan(static_cast<size_t>(unit * plan.examples_per_unit),
                         static_cast<size_t>(plan.examples_per_unit));
    const Draw drawn = draw_of(plan, seed, unit, draw, progress);
    parts > 0 ? source.gradient_by_part(ids, drawn, out) : source.gradient(ids, drawn, out);
  };
  for (int64_t unit = 0; unit < plan.units; ++unit) {
    within.clear();
    const std::span<float> first = collected.unit(unit);
    evaluate(unit, 0, first);
    for (int64_t draw = 1; draw < plan.draws; ++draw) {
      evaluate(unit, draw, current);
      within.add(current, first);
    }
    within.finish(plan.draws, first);
    for (size_t cell = 0; cell < within.views() * metrics.size() * groups; ++cell) {
      collected.within(cell)[static_cast<size_t>(unit)] = within.squares(
          cell / groups / metrics.size(), cell / groups % metrics.size(), cell % groups);
    }
  }

  NoiseView out;
  out.gradient_calls = plan.units * plan.draws;
  out.example_gradients = out.gradient_calls * plan.examples_per_unit;
  out.parts = parts;
  for (size_t view = 0; view < within.views(); ++view) {
    for (size_t metric = 0; metric < metrics.size(); ++metric) {
      std::vector<CentredGram> grams = centred_grams(collected.rows(view), layout, metrics[metric]);
      for (size_t group = 0; group < groups; ++group) {
        NestedUnits units{plan.examples_per_unit, plan.draws, std::move(grams[group]),
                          collected.within((view * metrics.size() + metric) * groups + group)};
        out.rows.push_back({layout.groups()[group].name, metrics[metric].name,
                            view == 0 ? std::string() : names[view - 1],
                            plan.exhaustive ? exact_noise(units) : estimate_noise(units)});
      }
    }
  }
  return out;
}

}  // namespace assay
