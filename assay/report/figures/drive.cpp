// What short branches of training taught: rate along training, by factor, and by part of the way.
#include <fmt/format.h>

#include "assay/report/figures/figures.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;

const std::string kMeter = "drive";

/// The last checkpoint from which branches were run; a trial's last one has none.
Point last_point(const Arm& arm, const Query& query) {
  const std::vector<Point> points = curve(arm, query);
  for (auto point = points.rbegin(); point != points.rend(); ++point)
    if (point->estimate.known()) return *point;
  return {};
}

}  // namespace

Figure drive_figure(const ReportData& data) {
  Figure figure{.id = "drive", .shared_y = true};
  for (const Size& size : data.sizes)
    for (const char* factor : {"all", "content", "position"})
      add_curves(data, size, {kMeter, "useful_rate", {{"factor", factor}}},
                 {.title = fmt::format("{} factors, {}", factor, data.size_text(size)),
                  .y_title = "bits per GFLOP"},
                 figure);
  if (figure.panels.empty()) return figure;
  use_symlog(figure.panels);
  figure.title = "Drive: bits that the next steps teach, per GFLOP";
  figure.caption = fmt::format(
      "From each checkpoint short branches with data order and draws of their own; gain of "
      "refitted "
      "linear readouts on all layers at averaged weights, over the FLOPs of a branch. Below 0: "
      "training takes away what a linear readout could use. {}{}",
      symlog_caption(figure.panels), interval_caption(figure.panels));
  return figure;
}

Figure drive_factor_figure(const ReportData& data) {
  Figure figure{.id = "drive_factors", .x_name = "factor", .shared_y = true};
  const std::vector<std::string> factors = single_factors(data, kMeter, "gain_bits");
  if (factors.size() < 2) return figure;
  const Size size = data.sizes.back();
  Panel panel{.title = data.size_text(size), .y_title = "bits per GFLOP", .categories = factors};
  for (const Arm* arm : data.arms_of(size)) {
    Series series{.label = arm->label(), .objective = arm->objective, .unit = "bit/GFLOP"};
    for (const std::string& factor : factors) {
      Point point = last_point(*arm, {kMeter, "useful_rate", {{"factor", factor}}});
      series.marks.push_back({kMissing, factor, point.estimate, std::move(point.replicates)});
    }
    panel.series.push_back(std::move(series));
  }
  figure.panels.push_back(std::move(panel));
  figure.title = "Drive by factor at the last checkpoint that leaves room for a branch";
  figure.caption =
      fmt::format("As above, factor by factor, largest model. {}", interval_caption(figure.panels));
  return figure;
}

Table drive_table(const ReportData& data) {
  Table table{
      .id = "drive-attribution",
      .title = "Which part of the way taught what",
      .caption =
          "Bits gained on a branch at the last checkpoint that leaves room for one, by factor, and "
          "by what moved the trunk: a term of the loss, momentum from before the branch, weight "
          "decay. Random direction: the gain when every tensor of the trunk moves as far in a "
          "random direction.",
      .columns = {"factor", "objective", "size", "gain", "useful SNR", "random direction",
                  "part of the way", "bits by this part"}};
  const std::vector<std::string> parts = label_values(data, kMeter, "attribution_bits", "part");
  for (const std::string& factor : label_values(data, kMeter, "gain_bits", "factor"))
    for (const Size& size : data.sizes)
      for (const Arm* arm : data.arms_of(size)) {
        const auto value = [&](const char* quantity, std::map<std::string, std::string> labels) {
          labels["factor"] = factor;
          return last_point(*arm, {kMeter, quantity, std::move(labels)}).estimate;
        };
        const Estimate gain = value("gain_bits", {});
        if (!gain.known()) continue;
        std::vector<TableCell> row = {{factor},
                                      {arm->label()},
                                      {data.size_text(size)},
                                      cell(gain),
                                      cell(value("useful_snr", {})),
                                      cell(value("null_gain_bits", {{"null", "random direction"}})),
                                      {""},
                                      {""}};
        table.rows.push_back(row);
        for (const std::string& part : parts) {
          const Estimate bits = value("attribution_bits", {{"part", part}});
          if (part.empty() || !bits.known()) continue;
          table.rows.push_back({{factor},
                                {arm->label()},
                                {data.size_text(size)},
                                {""},
                                {""},
                                {""},
                                {part},
                                cell(bits)});
        }
      }
  return table;
}

}  // namespace assay::report
