// The records arranged for comparison: arms (trials that differ by seed alone) and curves over
// them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "assay/report/estimate.h"

namespace assay::report {

/// Trials that differ by seed alone.
struct Arm {
  std::string objective{};
  std::string data{};
  int64_t width = 0, depth = 0;
  std::string variant{};  // settings that tell it from arms of the same objective and size, or ""
  std::vector<const Trial*> trials{};
  bool largest_budget = true;  // no other arm differs from it by a larger budget alone

  std::string label() const;  // objective and variant
};

/// Which measurements. A label that is not named must be absent or have its default: group trunk,
/// metric euclidean, weights averaged. `level`, `band`, `part`, `null`, `with` and `objective`,
/// when not named, must be absent.
struct Query {
  std::string meter{}, quantity{};
  std::map<std::string, std::string> labels{};
};

/// One checkpoint of an arm.
struct Point {
  double fraction = 0;  // of the budget: what seeds are matched by
  double flops = 0;     // mean over the trials behind it
  std::string unit{};
  std::string method{};
  Estimate estimate{};
  std::vector<Replicate> replicates{};
};

struct ReportData {
  ReportData() = default;
  ReportData(ReportData&&) = default;  // arms point into study.trials: moved along, never copied
  ReportData& operator=(ReportData&&) = default;

  StudyRecords study{};
  std::vector<Arm> arms{};
  std::vector<std::string> objectives{};             // in the order of the study
  std::vector<std::pair<int64_t, int64_t>> sizes{};  // (width, depth), ascending
  double final_fraction = 0;  // of the budget, the last one measured anywhere

  size_t trials_with(const std::string& status) const;
  /// Arms of one size, in the order of `objectives`. Of arms that differ by budget alone the
  /// largest: smaller ones are for the laws.
  std::vector<const Arm*> arms_of(std::pair<int64_t, int64_t> size) const;
  std::vector<const Arm*> all_arms_of(std::pair<int64_t, int64_t> size) const;
  std::string size_text(std::pair<int64_t, int64_t> size) const;
};

ReportData arrange(StudyRecords study);

bool matches(const Measurement& measurement, const Query& query);
/// Ascending in fraction. Points without any finite value are kept, with the reason.
std::vector<Point> curve(const Arm& arm, const Query& query);
/// The point at ReportData::final_fraction; its estimate says why if there is none.
Point at_end(const ReportData& data, const Arm& arm, const Query& query);
/// Every value of a label among measurements of this quantity; numbers in numeric order.
std::vector<std::string> label_values(const ReportData& data, const std::string& meter,
                                      const std::string& quantity, const std::string& label);
/// What the outcome figures read: "all" factors together if the probe summed them, else the only
/// one.
/// "" = nothing was probed.
std::string headline_factor(const ReportData& data);

}  // namespace assay::report
