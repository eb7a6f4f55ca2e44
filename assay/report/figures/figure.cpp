// From figures to JSON and tables.
#include "assay/report/figures/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/report/text.h"

namespace assay::report {
namespace {

using Json = nlohmann::json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json bound(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

std::string interval_words(const Estimate& estimate) {
  if (estimate.interval == "seeds") return fmt::format("t over {} seeds", estimate.seeds);
  if (estimate.interval == "meter") return "one trial, the meter's own";
  if (estimate.interval == "bootstrap") return "runs resampled";
  if (estimate.interval == "student") return fmt::format("t over {} runs", estimate.n);
  return estimate.known() ? "none" : estimate.note;
}

Json to_json(const Mark& mark) {
  Json json = to_json(mark.estimate);
  if (mark.category.empty()) {
    json["x"] = number(mark.x);
  } else {
    json["x"] = mark.category;
  }
  Json seeds = Json::array();
  for (const Replicate& r : mark.replicates)
    seeds.push_back({{"trial", r.trial},
                     {"seed", r.seed},
                     {"counts", r.counts},
                     {"value", number(r.value)},
                     {"low", bound(r.low)},
                     {"high", bound(r.high)}});
  json["replicates"] = std::move(seeds);
  return json;
}

Json to_json(const Panel& panel) {
  Json series = Json::array();
  for (const Series& s : panel.series) {
    Json marks = Json::array();
    for (const Mark& mark : s.marks) marks.push_back(to_json(mark));
    series.push_back({{"label", s.label},
                      {"objective", s.objective},
                      {"unit", s.unit},
                      {"drawn", s.drawn},
                      {"palette", s.palette},
                      {"marks", std::move(marks)}});
  }
  return {{"title", panel.title},       {"x_title", panel.x_title},
          {"y_title", panel.y_title},   {"categories", panel.categories},
          {"symlog", panel.symlog},     {"linear_width", panel.linear_width},
          {"series", std::move(series)}};
}

}  // namespace

TableCell cell(const Estimate& estimate, std::string_view unit) {
  if (!estimate.known())
    return {estimate.note.empty() ? "missing" : fmt::format("missing: {}", estimate.note), kMissing,
            "quiet"};
  return {estimate_text(estimate, unit), estimate.value, ""};
}

TableCell cell(double value) { return {number_text(value), value, ""}; }

nlohmann::json to_json(const Estimate& estimate) {
  Json json = {{"value", number(estimate.value)},
               {"low", bound(estimate.low)},
               {"high", bound(estimate.high)},
               {"seeds", estimate.seeds},
               {"n", estimate.n},
               {"interval", estimate.interval}};
  if (!estimate.note.empty()) json["note"] = estimate.note;
  return json;
}

nlohmann::json to_json(const Figure& figure) {
  Json panels = Json::array();
  for (const Panel& panel : figure.panels) panels.push_back(to_json(panel));
  return {{"id", figure.id},
          {"title", figure.title},
          {"caption", figure.caption},
          {"shared_y", figure.shared_y},
          {"panels", std::move(panels)}};
}

nlohmann::json to_json(const Table& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const TableCell& c : row) cells.push_back({{"text", c.text}, {"value", number(c.value)}});
    rows.push_back(std::move(cells));
  }
  return {{"id", table.id},
          {"title", table.title},
          {"caption", table.caption},
          {"columns", table.columns},
          {"rows", std::move(rows)}};
}

Table table_of(const Figure& figure) {
  Table table{.id = figure.id};
  table.columns = {"panel", "series", figure.x_name, "value", "low", "high", "interval", "units"};
  for (const Panel& panel : figure.panels) {
    for (const Series& series : panel.series) {
      for (const Mark& mark : series.marks) {
        const Estimate& e = mark.estimate;
        const TableCell none{"–", kMissing, "quiet"};
        const TableCell x = mark.category.empty() ? TableCell{flops_text(mark.x), mark.x, ""}
                                                  : TableCell{mark.category, kMissing, ""};
        table.rows.push_back({{panel.title},
                              {series.label},
                              x,
                              e.known() ? cell(e.value) : TableCell{"missing", kMissing, "quiet"},
                              e.low ? cell(*e.low) : none,
                              e.high ? cell(*e.high) : none,
                              {interval_words(e), kMissing, "quiet"},
                              e.n > 0 ? TableCell{fmt::format("{}", e.n), double(e.n), ""} : none});
      }
    }
  }
  return table;
}

Series series_of(const Arm& arm, const std::vector<Point>& points) {
  Series series{.label = arm.label(), .objective = arm.objective};
  for (const Point& point : points) {
    series.unit = point.unit;
    series.marks.push_back({point.flops, "", point.estimate, point.replicates});
  }
  return series;
}

void add_curves(const ReportData& data, std::pair<int64_t, int64_t> size, const Query& query,
                Panel panel, Figure& figure) {
  panel.x_title = "training FLOPs";
  for (const Arm* arm : data.arms_of(size)) {
    Series series = series_of(*arm, curve(*arm, query));
    if (!series.marks.empty()) panel.series.push_back(std::move(series));
  }
  if (!panel.series.empty()) figure.panels.push_back(std::move(panel));
}

std::vector<std::string> single_factors(const ReportData& data, const std::string& meter,
                                        const std::string& quantity) {
  std::vector<std::string> factors = label_values(data, meter, quantity, "factor");
  std::erase_if(factors, [](const std::string& factor) {
    return factor == "all" || factor == "content" || factor == "position";
  });
  return factors;
}

void use_symlog(std::vector<Panel>& panels) {
  double largest = 0, smallest = INFINITY, resolved = INFINITY;
  bool crosses = false;
  for (const Panel& panel : panels)
    for (const Series& series : panel.series)
      for (const Mark& mark : series.marks) {
        const Estimate& e = mark.estimate;
        if (!e.known() || e.value == 0) continue;
        crosses = crosses || e.value < 0;
        largest = std::max(largest, std::fabs(e.value));
        smallest = std::min(smallest, std::fabs(e.value));
        if (e.above(0) || e.below(0)) resolved = std::min(resolved, std::fabs(e.value));
      }
  // Within a decade and a half a linear axis shows everything, and reads easier.
  if (largest == 0 || (!crosses && largest < 30 * smallest)) return;
  if (!std::isfinite(resolved)) resolved = largest;
  const double floor = std::max(resolved, largest * 1e-5);
  for (Panel& panel : panels) {
    panel.symlog = true;
    panel.linear_width = std::pow(10, std::floor(std::log10(floor)));
  }
}

std::string symlog_caption(const std::vector<Panel>& panels) {
  if (panels.empty() || !panels.front().symlog) return "";
  return fmt::format(
      "The vertical axis is logarithmic, and linear between −{0} and {0} so that values at or "
      "below 0 "
      "stay visible: estimates are unbiased and never clamped. An interval that crosses 0 means "
      "that no "
      "signal is resolved. ",
      number_text(panels.front().linear_width));
}

std::string interval_caption(const std::vector<Panel>& panels) {
  std::set<int64_t> seeds;
  bool meter = false, without = false, crosses = false;
  for (const Panel& panel : panels)
    for (const Series& series : panel.series)
      for (const Mark& mark : series.marks) {
        if (mark.estimate.interval == "seeds") seeds.insert(mark.estimate.seeds);
        meter = meter || mark.estimate.interval == "meter";
        for (const Replicate& r : mark.replicates)
          crosses = crosses || (!r.counts && std::isfinite(r.value));
        without = without || (mark.estimate.known() && mark.estimate.interval == "none");
      }
  std::vector<std::string> sentences;
  if (!seeds.empty())
    sentences.push_back(
        *seeds.begin() == *seeds.rbegin()
            ? fmt::format("Intervals: 95%, Student t over n = {} seeds, at least the meters' own",
                          *seeds.begin())
            : fmt::format(
                  "Intervals: 95%, Student t over n = {} to {} seeds, at least the meters' own",
                  *seeds.begin(), *seeds.rbegin()));
  if (meter)
    sentences.push_back(
        "With a single seed the interval is the meter's own (95%): it covers the measurement's "
        "error in that one trial, not what another seed would give");
  if (crosses)
    sentences.push_back("Crosses: trials that diverged or failed; they are not in the mean");
  if (without) sentences.push_back("Values without an interval are drawn without a bar");
  std::string out;
  for (const std::string& sentence : sentences) out += sentence + ". ";
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace assay::report
