// Runs a gradient source on paired draws, block by block, and turns the sums into estimates.
#include "assay/stats/noise_accumulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "assay/core/error.h"
#include "assay/stats/within_unit.h"

namespace assay {

Seed draw_seed(Seed seed, int64_t unit, int64_t index) {
  return seed.child(static_cast<uint64_t>(unit)).child(static_cast<uint64_t>(index));
}

namespace {

void check(const NoisePlan& plan) {
  const int64_t fewest = plan.exhaustive ? 1 : 5;
  const int64_t fewest_draws = plan.exhaustive || plan.patterns == 1 ? 1 : 2;
  if (plan.units < fewest || plan.draws < fewest_draws || plan.examples_per_unit < 1) {
    throw Error("stats.plan",
                fmt::format("{} units of {} examples with {} draws give no estimate", plan.units,
                            plan.examples_per_unit, plan.draws),
                "measure at least 5 units, with at least 2 draws where patterns are redrawn");
  }
  if (plan.patterns < 1 || (plan.patterns > 1 && plan.level_bin)) {
    throw Error("stats.plan",
                fmt::format("{} patterns of a level{} cannot be analysed", plan.patterns,
                            plan.level_bin ? " inside one bin" : ""),
                "keep levels and redraw patterns over all levels, at least one pattern to a level");
  }
  if (plan.population && plan.exhaustive) {
    throw Error("stats.plan", "an exhaustive plan is the whole population already",
                "leave population out");
  }
  if (plan.exhaustive && plan.examples_per_unit != 1) {
    throw Error("stats.plan", "an exhaustive plan has one example to a unit",
                "set examples_per_unit = 1");
  }
}

void check(const NoisePlan& plan, std::span<const int64_t> examples) {
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

Draw draw_of(const NoisePlan& plan, Seed seed, int64_t unit, int64_t index, int64_t pattern,
             double progress) {
  Draw draw;
  if (plan.exhaustive) {
    draw.level = Seed(static_cast<uint64_t>(index));
    draw.pattern = plan.patterns > 1 ? Seed(static_cast<uint64_t>(pattern)) : draw.level;
    draw.progress = progress;
  } else {
    draw = Draw::from(draw_seed(seed, unit, index), progress);
    if (pattern > 0) draw.pattern = draw.pattern.child(static_cast<uint64_t>(pattern));
  }
  draw.level_bin = plan.level_bin;
  return draw;
}

}  // namespace

class NoiseAccumulator::State {
 public:
  State(GradientSource& source, const NoisePlan& plan, Seed seed, double progress,
        const std::vector<DiagonalMetric>& given)
      : source_(source),
        plan_(plan),
        seed_(seed),
        progress_(progress),
        layout_(source.groups(), source.size()),
        parts_(plan.by_part ? source.parts() : std::vector<std::string>{}),
        metrics_({{"euclidean", {}}}),
        length_(std::max<size_t>(1, parts_.size()) * static_cast<size_t>(source.size())) {
    metrics_.insert(metrics_.end(), given.begin(), given.end());
    const int64_t parts = std::ssize(parts_);
    within_unit_ = std::make_unique<WithinUnit>(layout_, metrics_, parts, plan.draws);
    if (plan.patterns > 1) {
      within_level_ = std::make_unique<WithinUnit>(layout_, metrics_, parts, plan.patterns);
      pattern_.resize(length_);
    }
    means_.resize(static_cast<size_t>(plan.units) * length_);
    if (plan.draws > 1) current_.resize(length_);
    within_.assign(within_unit_->views() * metrics_.size() * layout_.groups().size(),
                   std::vector<double>(static_cast<size_t>(plan.units)));
    if (within_level_) of_patterns_ = within_;
    between_ = within_;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void add(std::span<const int64_t> examples) {
    check(plan_, examples);
    const size_t b = static_cast<size_t>(plan_.examples_per_unit);
    if (blocks_ > 0) of_block_.resize(length_);
    for (int64_t unit = 0; unit < plan_.units; ++unit) {
      const std::span<float> mean =
          std::span(means_).subspan(static_cast<size_t>(unit) * length_, length_);
      const std::span<float> of_block = blocks_ > 0 ? std::span(of_block_) : mean;
      measure_unit(unit, examples.subspan(static_cast<size_t>(unit) * b, b), of_block);
      for (size_t cell = 0; cell < within_.size(); ++cell)
        within_[cell][static_cast<size_t>(unit)] += squares(*within_unit_, cell);
      if (blocks_ > 0) merge(unit, mean);
    }
    ++blocks_;
  }

  NoiseView view() const {
    NoiseView out;
    out.gradient_calls = blocks_ * plan_.units * plan_.draws * plan_.patterns;
    out.example_gradients = out.gradient_calls * plan_.examples_per_unit;
    out.draws = plan_.draws * plan_.patterns;
    out.parts = std::ssize(parts_);
    for (const NoiseUnits& row : units()) {
      out.rows.push_back({row.group, row.metric, row.part,
                          plan_.exhaustive ? exact_noise(row.units) : estimate_noise(row.units)});
    }
    return out;
  }

  std::vector<NoiseUnits> units() const {
    std::vector<NoiseUnits> out;
    const size_t groups = layout_.groups().size();
    for (size_t view = 0; view < within_unit_->views(); ++view) {
      std::vector<std::vector<CentredGram>> grams = centred_grams(rows(view), layout_, metrics_);
      for (size_t metric = 0; metric < metrics_.size(); ++metric) {
        for (size_t group = 0; group < groups; ++group) {
          const size_t cell = (view * metrics_.size() + metric) * groups + group;
          out.push_back({layout_.groups()[group].name, metrics_[metric].name,
                         view == 0 ? std::string() : parts_[view - 1],
                         nested(std::move(grams[metric][group]), cell)});
        }
      }
    }
    return out;
  }

  std::vector<PartProducts> products() const {
    const auto parts = std::ssize(parts_);
    const Rows rows{plan_.units * parts,
                    [this, parts](int64_t row, int64_t begin, std::span<float> out) {
                      read(row / parts, static_cast<size_t>(row % parts), begin, out);
                    }};
    std::vector<PartProducts> out;
    for (const std::vector<double>& gram : gram_matrices(rows, layout_))
      out.push_back(part_products(gram, plan_.units, parts, plan_.examples_per_unit * blocks_));
    return out;
  }

  int64_t blocks() const { return blocks_; }

 private:
  // Welford's step: x = of_block_ is the (k + 1)th mean of the unit; Σ_c |ḡ_uc − ḡ_u|² grows by
  // k/(k + 1) |x − mean of k|².
  void merge(int64_t unit, std::span<float> mean) {
    const double k = static_cast<double>(blocks_);
    within_unit_->clear();
    within_unit_->add(of_block_, mean);
    for (size_t cell = 0; cell < between_.size(); ++cell)
      between_[cell][static_cast<size_t>(unit)] += k / (k + 1) * squares(*within_unit_, cell);
    const float inverse = static_cast<float>(1 / (k + 1));
    for (size_t i = 0; i < length_; ++i) mean[i] += of_block_[i] * inverse;
  }

  // Mean over the draws into `mean`, sums of squares into within_unit_.
  void measure_unit(int64_t unit, std::span<const int64_t> ids, std::span<float> mean) {
    within_unit_->clear();
    for (int64_t j = 0; j < plan_.draws; ++j) {
      const std::span<float> out = j == 0 ? mean : std::span(current_);
      measure_level(unit, ids, j, out);
      if (j > 0) within_unit_->add(current_, mean);
    }
    within_unit_->finish(current_, mean);
  }

  // Mean over the patterns of one level into `mean`, sums of squares into of_patterns_.
  void measure_level(int64_t unit, std::span<const int64_t> ids, int64_t level,
                     std::span<float> mean) {
    const auto gradient = [&](int64_t pattern, std::span<float> out) {
      const Draw draw =
          draw_of(plan_, seed_, blocks_ * plan_.units + unit, level, pattern, progress_);
      parts_.empty() ? source_.gradient(ids, draw, out) : source_.gradient_by_part(ids, draw, out);
    };
    gradient(0, mean);
    if (!within_level_) return;
    within_level_->clear();
    for (int64_t pattern = 1; pattern < plan_.patterns; ++pattern) {
      gradient(pattern, pattern_);
      within_level_->add(pattern_, mean);
    }
    within_level_->finish(pattern_, mean);
    for (size_t cell = 0; cell < of_patterns_.size(); ++cell)
      of_patterns_[cell][static_cast<size_t>(unit)] += squares(*within_level_, cell);
  }

  double squares(const WithinUnit& within, size_t cell) const {
    const size_t groups = layout_.groups().size();
    return within.squares(cell / groups / metrics_.size(), cell / groups % metrics_.size(),
                          cell % groups);
  }

  NestedUnits nested(CentredGram means, size_t cell) const {
    return {.examples_per_unit = plan_.examples_per_unit * blocks_,
            .draws = plan_.draws,
            .means = std::move(means),
            .within = merged(within_[cell]),
            .patterns = plan_.patterns,
            .within_level = within_level_ ? merged(of_patterns_[cell]) : std::vector<double>(),
            .population = plan_.population,
            .blocks = blocks_,
            .between_blocks = blocks_ > 1 ? between_[cell] : std::vector<double>()};
  }

  std::vector<double> merged(std::vector<double> within) const {
    const double k = static_cast<double>(blocks_);
    for (double& w : within) w /= k * k;
    return within;
  }

  // Means over blocks and draws. View 0 is the sum of the parts, made while it is read.
  Rows rows(size_t view) const {
    const size_t first = view == 0 ? 0 : view - 1;
    const size_t last = view == 0 ? length_ / static_cast<size_t>(layout_.size()) : first + 1;
    return {plan_.units, [=, this](int64_t row, int64_t begin, std::span<float> out) {
              for (size_t part = first; part < last; ++part) read(row, part, begin, out);
            }};
  }

  void read(int64_t unit, size_t part, int64_t begin, std::span<float> out) const {
    const float* in = means_.data() + static_cast<size_t>(unit) * length_ +
                      part * static_cast<size_t>(layout_.size()) + static_cast<size_t>(begin);
    for (size_t i = 0; i < out.size(); ++i) out[i] += in[i];
  }

  GradientSource& source_;
  NoisePlan plan_;
  Seed seed_;
  double progress_;
  GroupLayout layout_;
  std::vector<std::string> parts_;
  std::vector<DiagonalMetric> metrics_;
  size_t length_;                                           // floats of one gradient, all parts
  std::unique_ptr<WithinUnit> within_unit_, within_level_;  // within_level_: patterns >= 2
  std::vector<float> means_;                         // [units × length] over blocks and draws
  std::vector<float> current_, pattern_, of_block_;  // [length]: where needed
  // [views × metrics × groups][units], summed over blocks
  std::vector<std::vector<double>> within_, of_patterns_, between_;
  int64_t blocks_ = 0;
};

NoiseAccumulator::NoiseAccumulator(GradientSource& source, const NoisePlan& plan, Seed seed,
                                   double progress, const std::vector<DiagonalMetric>& metrics) {
  check(plan);
  state_ = std::make_unique<State>(source, plan, seed, progress, metrics);
}

NoiseAccumulator::~NoiseAccumulator() = default;

void NoiseAccumulator::add(std::span<const int64_t> examples) { state_->add(examples); }
int64_t NoiseAccumulator::blocks() const { return state_->blocks(); }
NoiseView NoiseAccumulator::view() const { return state_->view(); }
std::vector<PartProducts> NoiseAccumulator::products() const { return state_->products(); }
std::vector<NoiseUnits> NoiseAccumulator::units() const { return state_->units(); }

}  // namespace assay
