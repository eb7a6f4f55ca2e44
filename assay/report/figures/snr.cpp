// Objective SNR along training, and where the gradient's variance comes from.
#include <fmt/format.h>

#include "assay/report/figures/figures.h"
#include "assay/report/findings.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;

const std::string kMeter = "objective_snr";

std::string weights_words(const std::string& weights) {
  return weights == "averaged" ? "averaged weights" : "live weights";
}

/// A panel per size and kind of weights.
void add_panels(const ReportData& data, const std::string& quantity, const std::string& y_title,
                const std::vector<std::string>& kinds, Figure& figure) {
  for (const Size& size : data.sizes)
    for (const std::string& weights : kinds)
      add_curves(data, size, {kMeter, quantity, {{"weights", weights}}},
                 {.title = fmt::format("{}, {}", weights_words(weights), data.size_text(size)),
                  .y_title = y_title},
                 figure);
}

/// |G|² at live over |G|² at averaged weights: "> x" where the latter is not resolved from 0.
TableCell bounce(const ReportData& data, const Arm& arm) {
  const auto signal = [&](const char* weights) {
    return at_end(data, arm, {kMeter, "signal", {{"weights", weights}}}).estimate;
  };
  const Estimate live = signal("live"), averaged = signal("averaged");
  if (!live.above(0) || !averaged.bounded() || averaged.below(0))
    return {"unresolved", kMissing, "quiet"};
  const double least = *live.low / *averaged.high;
  if (!averaged.above(0)) return {fmt::format("> {}", number_text(least)), kMissing, ""};
  return cell(Estimate{.value = live.value / averaged.value,
                       .low = least,
                       .high = *live.high / *averaged.low,
                       .interval = "joined"});
}

}  // namespace

Figure snr_figure(const ReportData& data) {
  Figure figure{.id = "snr", .shared_y = true};
  add_panels(data, "snr_per_example", "SNR per example", {"averaged", "live"}, figure);
  if (figure.panels.empty()) return figure;
  use_symlog(figure.panels);
  figure.title = fmt::format(
      "{} ({})",
      ranking_sentence(values_at_end(data, data.sizes.back(), {kMeter, "snr_per_example"}),
                       "Objective SNR at the end of the budget", ""),
      data.size_text(data.sizes.back()));
  figure.caption = fmt::format(
      "Squared norm of the trunk's mean gradient over the trace of its covariance, per example. "
      "Read the "
      "averaged weights first: at live weights most of the signal only undoes the optimiser's last "
      "steps. SNR falls as training goes on, so compare curves at equal FLOPs, not single numbers. "
      "{}{}",
      symlog_caption(figure.panels), interval_caption(figure.panels));
  return figure;
}

Figure snr_per_flop_figure(const ReportData& data) {
  Figure figure{.id = "snr_per_flop", .shared_y = true};
  add_panels(data, "snr_per_gflop", "SNR per GFLOP", {"averaged"}, figure);
  if (figure.panels.empty()) return figure;
  use_symlog(figure.panels);
  figure.title = fmt::format(
      "{} ({})",
      ranking_sentence(values_at_end(data, data.sizes.back(), {kMeter, "snr_per_gflop"}),
                       "SNR for the compute spent", "per GFLOP"),
      data.size_text(data.sizes.back()));
  figure.caption = fmt::format(
      "SNR per example divided by the GFLOPs of one example: cheap examples can make up for noisy "
      "ones. "
      "Averaged weights, trunk. {}{}",
      symlog_caption(figure.panels), interval_caption(figure.panels));
  return figure;
}

Figure share_figure(const ReportData& data) {
  Figure figure{.id = "share", .shared_y = true};
  add_panels(data, "objective_share", "share of the variance", {"averaged", "live"}, figure);
  if (figure.panels.empty()) return figure;
  figure.title = fmt::format(
      "{} ({})",
      ranking_sentence(values_at_end(data, data.sizes.back(), {kMeter, "objective_share"}),
                       "The objective's own share of gradient variance", ""),
      data.size_text(data.sizes.back()));
  figure.caption = fmt::format(
      "Share of the trunk gradient's variance that comes from the objective's own draws (masks, "
      "noise "
      "levels, noise) at fixed examples; the rest comes from the data. 0: all from the data, 1: "
      "all from "
      "the draws. An estimate can leave this range by its error. {}",
      interval_caption(figure.panels));
  return figure;
}

// Of one trial and its pair: nothing is averaged over seeds.
Table noise_difference_table(const ReportData& data) {
  Table table{.id = "noise-differences",
              .title = "Differences on the same examples and draws",
              .caption =
                  "First less second, trunk. What the two have in common cancels, so that "
                  "these intervals are narrower than those of two values. From `assay "
                  "measure difference`.",
              .columns = {"first", "at", "second", "weights", "of", "difference", ""}};
  const std::map<std::string, std::string> words = {{"snr_difference", "SNR per example"},
                                                    {"share_difference", "objective share"},
                                                    {"signal_difference", "|G|²"},
                                                    {"total_variance_difference", "tr Σ"}};
  for (const Trial& trial : data.study.trials)
    for (const Measurement& m : trial.measurements) {
      if (m.meter != kMeter || !words.contains(m.quantity)) continue;
      const Estimate estimate{.value = m.value,
                              .low = m.low,
                              .high = m.high,
                              .seeds = 1,
                              .n = m.n,
                              .interval = "meter",
                              .note = m.note};
      const bool first = estimate.above(0), second = estimate.below(0);
      table.rows.push_back({{trial.name},
                            {percent_text(m.fraction)},
                            {m.labels.at("with")},
                            {m.labels.at("weights")},
                            {words.at(m.quantity)},
                            cell(estimate),
                            {first    ? "first is higher"
                             : second ? "second is higher"
                                      : "cannot tell",
                             kMissing, first || second ? "" : "quiet"}});
    }
  return table;
}

Table variance_table(const ReportData& data) {
  Table table{.id = "variance",
              .title = "The gradient's signal and variance at the end of the budget",
              .caption =
                  "Trunk, per example. A variance that comes out negative is printed as it is: it "
                  "is an unbiased estimate of a small number. Headroom: what averaging ever more "
                  "draws per example could take off the variance at most. Effective dimension: how "
                  "many directions share the variance; below about 10 intervals need more units. "
                  "Bounce: |G|² at live over that at averaged weights, signal that only undoes "
                  "the last steps; its interval joins the ends of both and so is wide.",
              .columns = {"objective", "size", "weights", "signal |G|²", "variance, data",
                          "variance, objective", "variance, total", "headroom",
                          "effective dimension", "bounce"}};
  const bool split = !label_values(data, kMeter, "level_share", "group").empty();
  if (split) {
    table.columns.insert(table.columns.end() - 1, "share of levels");
    table.caption +=
        " Share of levels: of the total, what the choice of the noise level or mask "
        "rate makes, apart from the noise or mask drawn at it.";
  }
  for (const Size& size : data.sizes)
    for (const Arm* arm : data.arms_of(size))
      for (const char* weights : {"averaged", "live"}) {
        std::vector<TableCell> row = {{arm->label()}, {data.size_text(size)}, {weights}};
        bool any = false;
        for (const char* quantity : {"signal", "data_variance", "objective_variance",
                                     "total_variance", "headroom", "effective_dimension"}) {
          const Estimate estimate =
              at_end(data, *arm, {kMeter, quantity, {{"weights", weights}}}).estimate;
          any = any || estimate.known();
          row.push_back(cell(estimate));
        }
        if (split)
          row.push_back(
              cell(at_end(data, *arm, {kMeter, "level_share", {{"weights", weights}}}).estimate));
        row.push_back(std::string(weights) == "live" ? bounce(data, *arm) : TableCell{""});
        if (any) table.rows.push_back(std::move(row));
      }
  return table;
}

}  // namespace assay::report
