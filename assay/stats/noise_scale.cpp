// The reciprocal of an SNR and of its interval.
#include "assay/stats/noise_scale.h"

#include <fmt/format.h>

#include <limits>

namespace assay {

NoiseScale noise_scale(const Estimate& snr) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (!(snr.high > 0)) return {NoiseScale::Kind::undefined, none, none, none};
  const double value = snr.value > 0 ? 1 / snr.value : infinite;
  if (snr.low > 0) return {NoiseScale::Kind::bounded, value, 1 / snr.high, 1 / snr.low};
  return {NoiseScale::Kind::above, value, 1 / snr.high, infinite};
}

std::string to_string(const NoiseScale& scale) {
  switch (scale.kind) {
    case NoiseScale::Kind::bounded:
      return fmt::format("{:.4g} [{:.4g}, {:.4g}]", scale.value, scale.low, scale.high);
    case NoiseScale::Kind::above:
      return fmt::format("> {:.4g}", scale.low);
    case NoiseScale::Kind::undefined:
      break;
  }
  return "undefined";
}

}  // namespace assay
