// What was learned, factor by factor.
#include <fmt/format.h>

#include <algorithm>

#include "assay/report/figures/figures.h"
#include "assay/report/findings.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;

Query probe_query(const std::string& quantity, const std::string& factor,
                  const std::string& readout, const std::string& features) {
  Query query{"probe", quantity, {{"factor", factor}, {"readout", readout}}};
  if (!features.empty()) query.labels["features"] = features;
  return query;
}

}  // namespace

Figure factor_figure(const ReportData& data) {
  Figure figure{.id = "factors", .x_name = "factor", .shared_y = true};
  const std::vector<std::string> factors = single_factors(data, "probe", "bits");
  if (factors.size() < 2) return figure;
  const Size size = data.sizes.back();
  for (const std::string& readout : label_values(data, "probe", "bits_gain", "readout")) {
    Panel panel{.title = fmt::format("{} read-out, {}", readout, data.size_text(size)),
                .y_title = "bits gained over random init",
                .categories = factors};
    for (const Arm* arm : data.arms_of(size)) {
      Series series{.label = arm->label(), .objective = arm->objective, .unit = "bit"};
      for (const std::string& factor : factors) {
        Point point = at_end(data, *arm, probe_query("bits_gain", factor, readout, ""));
        series.marks.push_back({kMissing, factor, point.estimate, std::move(point.replicates)});
      }
      panel.series.push_back(std::move(series));
    }
    figure.panels.push_back(std::move(panel));
  }
  if (figure.panels.empty()) return figure;

  std::vector<std::string> words;
  const std::string readout = main_readout(data);
  for (const Panel& panel : figure.panels) {
    if (!panel.title.starts_with(readout)) continue;
    for (const Series& series : panel.series) {
      const auto learned = std::count_if(series.marks.begin(), series.marks.end(),
                                         [](const Mark& m) { return m.estimate.above(0); });
      words.push_back(fmt::format("{} {} of {}", series.label, learned, factors.size()));
    }
  }
  figure.title = fmt::format("Factors learned beyond random init ({} read-out): {}", readout,
                             join(words, ", "));
  figure.caption = fmt::format(
      "Gain in bits for each factor at the end of the budget, largest model. A factor counts as "
      "learned "
      "when its interval lies above 0. {}",
      interval_caption(figure.panels));
  return figure;
}

Table factor_table(const ReportData& data) {
  Table table{
      .id = "factor-bits",
      .title = "Bits per factor at the end of the budget",
      .caption =
          "Trained: read from the frozen trunk. Random init and raw input: the same probe "
          "without training. Gain: trained minus the same seed's random init; \"not learned "
          "at this budget\" when its interval includes 0. Deficit: identifiable bits that "
          "the probe does not read.",
      .columns = {"factor", "read-out", "objective", "size", "trained", "random init", "raw input",
                  "gain", "", "deficit", "accuracy"}};
  for (const std::string& factor : label_values(data, "probe", "bits", "factor"))
    for (const std::string& readout : label_values(data, "probe", "bits", "readout"))
      for (const Size& size : data.sizes)
        for (const Arm* arm : data.arms_of(size)) {
          const auto value = [&](const char* quantity, const char* features) {
            return at_end(data, *arm, probe_query(quantity, factor, readout, features)).estimate;
          };
          // The raw input and the random init do not change with training: any checkpoint tells.
          const auto fixed = [&](const char* features) {
            const std::vector<Point> points =
                curve(*arm, probe_query("bits", factor, readout, features));
            return points.empty() ? over_seeds({}) : points.back().estimate;
          };
          const Estimate gain = value("bits_gain", "");
          TableCell word{gain.above(0)   ? "learned"
                         : gain.below(0) ? "below random init"
                         : gain.known()  ? "not learned at this budget"
                                         : "",
                         kMissing,
                         gain.above(0)   ? "good"
                         : gain.below(0) ? "bad"
                                         : "quiet"};
          table.rows.push_back({{factor},
                                {readout},
                                {arm->label()},
                                {data.size_text(size)},
                                cell(value("bits", "trained")),
                                cell(fixed("random_init")),
                                cell(fixed("raw_input")),
                                cell(gain),
                                word,
                                cell(value("deficit_bits", "trained")),
                                cell(value("accuracy", "trained"))});
        }
  return table;
}

}  // namespace assay::report
