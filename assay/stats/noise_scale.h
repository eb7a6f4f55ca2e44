// The gradient noise scale: the batch size at which signal and noise of a gradient are equal.
#pragma once

#include <string>

#include "assay/stats/interval.h"

namespace assay {

/// tr Σ/|G|² = 1/SNR, in examples. Its interval is Fieller's (1954): all ratios that the test of
/// |G|² − SNR · tr Σ = 0 keeps, which is what the interval of an SNR is.
struct NoiseScale {
  enum class Kind {
    bounded,    // [low, high]
    above,      // the SNR is not told from 0: noise scale > low, high is infinite
    undefined,  // not even a small positive SNR agrees with the data: all NaN
  };
  Kind kind = Kind::undefined;
  double value = 0;  // 1/SNR where that is positive, else infinite: never a clamped SNR
  double low = 0, high = 0;
};

/// `snr` = NoiseEstimate::snr_per_example, or a per-unit SNR for a scale in units.
NoiseScale noise_scale(const Estimate& snr);

/// "120 [80, 250]", "> 80" or "undefined".
std::string to_string(const NoiseScale& scale);

}  // namespace assay
