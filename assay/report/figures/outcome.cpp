// What was learned: probe bits against compute, and the gain over random init.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "assay/report/figures/figures.h"
#include "assay/report/findings.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;

/// One value per seed (objectives that share data share their random init and raw input), then over
/// seeds.
Estimate over_trials_of(const std::vector<const Arm*>& arms, const std::string& data,
                        const Query& query) {
  std::map<int64_t, Replicate> by_seed;
  for (const Arm* arm : arms) {
    if (arm->data != data) continue;
    for (const Point& point : curve(*arm, query))
      for (const Replicate& replicate : point.replicates)
        if (replicate.counts) by_seed[replicate.seed] = replicate;  // the last checkpoint's
  }
  std::vector<Replicate> replicates;
  for (auto& [seed, replicate] : by_seed) replicates.push_back(std::move(replicate));
  return over_seeds(replicates);
}

void add_references(const std::vector<const Arm*>& arms, const Query& base, Panel& panel) {
  std::set<std::string> sources;
  for (const Arm* arm : arms) sources.insert(arm->data);
  double last = 0;
  for (const Series& series : panel.series)
    for (const Mark& mark : series.marks) last = std::max(last, mark.x);
  for (const auto& [features, words] :
       {std::pair("random_init", "random init"), std::pair("raw_input", "raw input")})
    for (const std::string& source : sources) {
      Query query = base;
      query.labels["features"] = features;
      const Estimate estimate = over_trials_of(arms, source, query);
      if (!estimate.known()) continue;
      const std::string label =
          sources.size() > 1 ? fmt::format("{} ({})", words, source) : std::string(words);
      panel.series.push_back({label, "", "bit", {{0, "", estimate, {}}, {last, "", estimate, {}}}});
    }
}

std::string factor_words(const std::string& factor) {
  return factor == "all" ? "all factors together" : fmt::format("factor {}", factor);
}

}  // namespace

Figure outcome_figure(const ReportData& data) {
  Figure figure{.id = "outcome", .shared_y = true};
  const std::string factor = headline_factor(data);
  const std::vector<std::string> readouts = label_values(data, "probe", "bits", "readout");
  for (const std::string& readout : readouts)
    for (const Size& size : data.sizes) {
      const std::vector<const Arm*> arms = data.arms_of(size);
      Query query{"probe", "bits", {{"factor", factor}, {"readout", readout}}};
      Panel panel{.title = fmt::format("{} read-out, {}", readout, data.size_text(size)),
                  .x_title = "training FLOPs",
                  .y_title = "bits read by the probe"};
      query.labels["features"] = "trained";
      for (const Arm* arm : arms) {
        Series series = series_of(*arm, curve(*arm, query));
        if (!series.marks.empty()) panel.series.push_back(std::move(series));
      }
      if (panel.series.empty()) continue;
      add_references(arms, query, panel);
      figure.panels.push_back(std::move(panel));
    }
  if (figure.panels.empty()) return figure;

  const std::string readout = main_readout(data);
  figure.title = fmt::format(
      "At {}, {} read-out: {}", data.size_text(data.sizes.back()), readout,
      gains_sentence(values_at_end(data, data.sizes.back(), gain_query(data, readout))));
  figure.caption = fmt::format(
      "Bits about {} that a probe reads from the frozen trunk (averaged weights) as training goes "
      "on; "
      "higher is better. Grey lines: the same probe on the same seed's untrained trunk and on the "
      "raw "
      "input. Only the distance to the random-init line was learned. Lines are means over seeds, "
      "small "
      "points single seeds, crosses trials that diverged or failed (not in the mean). {}",
      factor_words(factor), interval_caption(figure.panels));
  return figure;
}

Figure gain_figure(const ReportData& data) {
  Figure figure{.id = "gain", .x_name = "factors", .shared_y = true};
  const std::vector<std::string> known = label_values(data, "probe", "bits_gain", "factor");
  std::vector<std::string> sums;
  for (const char* sum : {"all", "content", "position"})
    if (std::find(known.begin(), known.end(), sum) != known.end()) sums.push_back(sum);
  if (sums.empty() && known.size() == 1) sums = known;
  for (const std::string& readout : label_values(data, "probe", "bits_gain", "readout"))
    for (const Size& size : data.sizes) {
      Panel panel{.title = fmt::format("{} read-out, {}", readout, data.size_text(size)),
                  .y_title = "bits gained over random init",
                  .categories = sums};
      for (const Arm* arm : data.arms_of(size)) {
        Series series{.label = arm->label(), .objective = arm->objective, .unit = "bit"};
        for (const std::string& sum : sums) {
          const Point point =
              at_end(data, *arm, {"probe", "bits_gain", {{"factor", sum}, {"readout", readout}}});
          series.marks.push_back({kMissing, sum, point.estimate, point.replicates});
        }
        panel.series.push_back(std::move(series));
      }
      if (!sums.empty()) figure.panels.push_back(std::move(panel));
    }
  if (figure.panels.empty()) return figure;
  const std::string readout = main_readout(data);
  figure.title = fmt::format(
      "{} ({} read-out, {})",
      ranking_sentence(values_at_end(data, data.sizes.back(), gain_query(data, readout)),
                       "The gain over random init", "bits"),
      readout, data.size_text(data.sizes.back()));
  figure.caption = fmt::format(
      "Probe bits of the trained trunk minus those of the same seed's random init, at the end of "
      "the "
      "budget. An interval that includes 0 reads \"not learned at this budget\" and ranks nothing. "
      "Content and position factors are also summed apart, because the read-out favours one or the "
      "other. {}",
      interval_caption(figure.panels));
  return figure;
}

}  // namespace assay::report
