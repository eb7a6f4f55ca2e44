// A network that follows another by an exponential moving average.
#pragma once

#include "assay/objective/parts.h"

namespace assay {

/// θ_teacher ← m·θ_teacher + (1 - m)·θ after every step, m = exp(-1/(window·steps)): the window is
/// a fraction of the run, so that one preset suits runs of any length. Published constants are per
/// step of long runs (I-JEPA .996 to 1 over 300 epochs).
struct EmaWindow {
  double start = 0.1, end = 0.5;  // of the run, at its start and end; linear between
  double momentum(int64_t step, int64_t steps) const;
};
std::vector<Option> ema_options();
EmaWindow ema_window(const Options& options);

/// Copies all parameters and forbids gradients.
void copy_frozen(const nn::Module& from, nn::Module& to);
/// to ← momentum·to + (1 - momentum)·from, parameter by parameter.
void follow(const nn::Module& from, nn::Module& to, double momentum);

}  // namespace assay
