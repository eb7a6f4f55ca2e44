// A network that follows another by an exponential moving average.
#include "assay/objective/teacher.h"

#include <cmath>

namespace assay {

double EmaWindow::momentum(int64_t step, int64_t steps) const {
  const double progress = static_cast<double>(step) / static_cast<double>(steps);
  const double window = (start + (end - start) * progress) * static_cast<double>(steps);
  return window <= 0 ? 0 : std::exp(-1 / window);
}

std::vector<Option> ema_options() {
  using namespace declare;
  return {real("window", 0.1, closed(0, 10),
               "time constant of the teacher's average at the start, as a fraction of the run"),
          real("final_window", 0.5, closed(0, 10), "the same at the end; linear between")};
}

EmaWindow ema_window(const Options& options) {
  return {options.real("window"), options.real("final_window")};
}

void copy_frozen(const nn::Module& from, nn::Module& to) {
  const torch::NoGradGuard no_gradient;
  const auto source = from.parameters(), target = to.parameters();
  for (size_t i = 0; i < source.size(); ++i) {
    Tensor into = target[i];
    into.copy_(source[i]);
    into.requires_grad_(false);
  }
}

void follow(const nn::Module& from, nn::Module& to, double momentum) {
  const torch::NoGradGuard no_gradient;
  const auto source = from.parameters(), target = to.parameters();
  for (size_t i = 0; i < source.size(); ++i) {
    Tensor into = target[i];
    into.lerp_(source[i], 1 - momentum);
  }
}

}  // namespace assay
