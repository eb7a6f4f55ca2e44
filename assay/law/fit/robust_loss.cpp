#include "assay/law/fit/robust_loss.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "assay/core/error.h"

namespace assay {

RobustLoss parse_loss(const std::string& text) {
  if (text == "huber:auto") return RobustLoss::automatic();
  if (text == "mse") return RobustLoss::least_squares();
  const std::string prefix = "huber:";
  if (text.starts_with(prefix)) {
    double delta = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data() + prefix.size(), end, delta);
    if (failed == std::errc() && stop == end && std::isfinite(delta) && delta > 0)
      return RobustLoss::huber(delta);
  }
  throw Error("usage.loss", "`" + text + "` is not a loss",
              "known: huber:auto, huber:DELTA with DELTA above zero in log loss, mse");
}

double delta_at(const RobustLoss& loss, double sigma) {
  if (loss.kind == RobustLoss::Kind::huber_auto)
    return std::max(kHuberEfficiency * sigma, kLeastDelta);
  return loss.delta;
}

}  // namespace assay
