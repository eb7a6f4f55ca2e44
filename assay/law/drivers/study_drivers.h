// The points behind `assay drivers DIR`: what a study measured of each objective, and its laws.
#pragma once

#include <string>
#include <vector>

#include "assay/law/drivers/driver_point.h"
#include "assay/store/study_folder.h"

namespace assay {

struct StudyDriverColumns {
  /// Of the bit deficit, all factors: slope_D or slope_N (within the trained range,
  /// study/local_slopes.h), alpha or beta of its law, or deficit (bits, at the end of the largest
  /// trials).
  std::string outcome = "slope_D";
  /// snr, share, headroom, online_snr, target_snr or useful_rate, at `fraction` of the largest
  /// trials.
  std::vector<std::string> drivers = {"snr"};
  std::string readout{};  // "" = attentive where it was measured
  double fraction = 1;    // of the budget; the nearest at which the driver was measured
};

struct StudyDrivers {
  std::vector<DriverPoint> points;    // by objective, in the study's order
  std::vector<std::string> left_out;  // "mae: its law does not identify beta"
  std::string readout;
};

/// Largest trials: of the objective's completed ones those with the most training FLOPs, over all
/// their seeds. A value is their mean; its standard error is what the meters' 95% intervals make of
/// it (half the width over 1.96), but not less than the spread over seeds.
///
/// Throws Error usage.unknown_name for an outcome, driver or readout that is not there, law.drivers
/// where nothing was probed, and what fit_study_laws throws.
StudyDrivers study_drivers(const StudyFolder& study, const StudyDriverColumns& columns);

}  // namespace assay
