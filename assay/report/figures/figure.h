// A figure as data: what the page draws, tabulates and exports are the same numbers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/report/report_data.h"

namespace assay::report {

/// One mark: an estimate at a place on the x-axis.
struct Mark {
  double x = kMissing;     // FLOPs; unused on a category axis
  std::string category{};  // on a category axis
  Estimate estimate{};
  std::vector<Replicate> replicates{};
};

struct Series {
  std::string label{};
  std::string objective{};  // decides colour, marker and dash; "" = a reference line in grey
  std::string unit{};
  std::vector<Mark> marks{};
  /// On a FLOPs axis: "" line with markers | points | bounds (trials that did not complete) |
  /// curve (of a law) | extrapolated (dashed curve) | floor (a level, in grey)
  std::string drawn{};
  int palette = -1;  // colour and marker of this place instead of the objective's
};

/// One pair of axes.
struct Panel {
  std::string title{};
  std::string x_title{}, y_title{};
  std::vector<std::string>
      categories{};     // not empty: a category axis; otherwise FLOPs, logarithmic
  bool symlog = false;  // y: linear between ±linear_width, logarithmic outside; passes through 0
  double linear_width = 0;
  std::vector<Series> series{};
};

struct Figure {
  std::string id{}, title{}, caption{};
  std::string x_name = "FLOPs";  // head of the table's x column
  std::vector<Panel> panels{};
  bool shared_y = false;  // all panels of the figure have one y range
};

/// A cell shows text; a number also carries its value, so that tables can be checked and sorted.
struct TableCell {
  std::string text{};
  double value = kMissing;
  std::string tone{};      // "" | good | bad | quiet
  double heat = kMissing;  // in [0, 1]: how strongly the cell is coloured
};
TableCell cell(const Estimate& estimate, std::string_view unit = "");
TableCell cell(double value);

struct Table {
  std::string id{}, title{}, caption{};
  std::vector<std::string> columns{};
  std::vector<std::vector<TableCell>> rows{};
};

/// The numbers of a figure, one mark a row.
Table table_of(const Figure& figure);

nlohmann::json to_json(const Estimate& estimate);
nlohmann::json to_json(const Figure& figure);
nlohmann::json to_json(const Table& table);

/// A series from a curve, for a FLOPs axis.
Series series_of(const Arm& arm, const std::vector<Point>& points);

/// Adds the panel with the curve of every arm of a size, unless nothing was measured.
void add_curves(const ReportData& data, std::pair<int64_t, int64_t> size, const Query& query,
                Panel panel, Figure& figure);

/// Factors but for the sums all, content and position.
std::vector<std::string> single_factors(const ReportData& data, const std::string& meter,
                                        const std::string& quantity);

/// Sets `symlog` and one linear_width on all panels where values span much or fall below 0. The
/// width is the largest power of ten not above the smallest magnitude that an estimate resolves
/// from 0, at most five decades below the largest magnitude.
void use_symlog(std::vector<Panel>& panels);
/// How to read that axis; "" if it is linear.
std::string symlog_caption(const std::vector<Panel>& panels);

/// What the intervals of these panels are and over how many trials: for the caption.
std::string interval_caption(const std::vector<Panel>& panels);

}  // namespace assay::report
