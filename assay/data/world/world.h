// The World, tier A: one object over a Gaussian 1/f² field plus white noise; image and caption.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/core/seed.h"
#include "assay/data/world/caption.h"
#include "assay/data/world/field.h"
#include "assay/data/world/scene.h"

namespace assay::world {

struct WorldConfig {
  int image_size = 32;       // at least 16
  double coupling = 0.8;     // of the joint table, in [0, 1)
  double data_snr = 1;       // A²·V_T over the mean pixel variance of field and white noise
  double white_share = 0.1;  // white noise's share of that variance
  CaptionRule caption;
};

/// image = A·T(scene) + G + N, float, RGB. The mean over pixels of E[image²] is .25 (exact at size
/// 32, where V_T is taken): noise has .25/(1 + data_snr), the object the rest. Example `index` is a
/// function of (seed, index) in every quantity; threads may share a World.
class World {
 public:
  World(const WorldConfig& config, Seed seed);

  const WorldConfig& config() const { return config_; }
  const JointTable& table() const { return table_; }
  size_t image_numbers() const;  // 3 · size²

  Scene scene(int64_t index) const;
  /// out [3, size, size]. scratch as in NoiseField::draw.
  void image(int64_t index, std::span<float> out, std::vector<float>& scratch) const;
  /// out [window].
  void caption(int64_t index, std::span<char> out) const;

  double template_gain() const { return gain_; }  // A
  /// A·T(scene): what remains of an image without its noise. [3, size, size]
  std::vector<float> template_image(const Scene& scene) const;
  /// Variance of the orthonormal DCT-II coefficients of G + N in every channel. [size, size]
  const std::vector<double>& noise_spectrum() const { return field_.spectrum(); }

 private:
  WorldConfig config_;
  Seed scenes_, noise_, captions_;
  JointTable table_;
  double gain_;
  NoiseField field_;
};

}  // namespace assay::world
