// Images of the World: spectrum of the noise, data SNR, geometry of the object, purity.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "assay/data/world/object.h"
#include "assay/data/world/world.h"
#include "assay/noise/noise.h"
#include "world/statistics.h"

namespace assay::world {
namespace {

using Matrix = std::vector<double>;

/// From the definition, not from the code under test. Row k = frequency k.
Matrix dct(int size) {
  Matrix out;
  for (int k = 0; k < size; ++k)
    for (int n = 0; n < size; ++n)
      out.push_back(std::sqrt((k == 0 ? 1.0 : 2.0) / size) * std::cos(M_PI * (n + .5) * k / size));
  return out;
}

/// basis · image · basisᵀ. image [size, size]
Matrix transform(const Matrix& basis, const float* image, int size) {
  const auto n = static_cast<size_t>(size);
  Matrix half(n * n, 0), out(n * n, 0);
  for (size_t u = 0; u < n; ++u)
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) half[u * n + j] += basis[u * n + i] * double{image[i * n + j]};
  for (size_t u = 0; u < n; ++u)
    for (size_t v = 0; v < n; ++v)
      for (size_t j = 0; j < n; ++j) out[u * n + v] += half[u * n + j] * basis[v * n + j];
  return out;
}

// H0: the coefficients of image − template are independent N(0, spectrum). n = 1,500 images × 3
// channels per coefficient, 1,024 coefficients, two-sided, level 1e-6 in all. Power above .95
// against one coefficient whose variance is wrong by 17% (standard deviation of the ratio 2.1%).
TEST(World, NoiseHasTheStatedSpectrumAtEveryFrequency) {
  const World world(WorldConfig{}, Seed(3));
  const Matrix basis = dct(32);
  constexpr int images = 1500;
  std::vector<double> sums(1024, 0);
  double across_channels = 0;
  std::vector<float> image(world.image_numbers()), scratch;
  for (int64_t i = 0; i < images; ++i) {
    world.image(i, image, scratch);
    const std::vector<float> object = world.template_image(world.scene(i));
    for (size_t k = 0; k < image.size(); ++k) image[k] -= object[k];
    Matrix first;
    for (size_t channel = 0; channel < 3; ++channel) {
      Matrix coefficients = transform(basis, image.data() + channel * 1024, 32);
      for (size_t k = 0; k < 1024; ++k) {
        coefficients[k] /= std::sqrt(world.noise_spectrum()[k]);
        sums[k] += coefficients[k] * coefficients[k];
        if (channel == 1) across_channels += coefficients[k] * first[k];
      }
      if (channel == 0) first = coefficients;
    }
  }
  const double critical = test::normal_quantile(1e-6 / 2048);
  for (size_t k = 0; k < 1024; ++k)
    EXPECT_LT(std::abs(test::chi_square_score(sums[k], 3 * images)), critical)
        << "coefficient " << k / 32 << ", " << k % 32;
  EXPECT_LT(std::abs(across_channels) / std::sqrt(1024.0 * images), test::normal_quantile(5e-7));
}

TEST(World, SpectrumIsOneOverFrequencySquaredPlusAConstant) {
  const NoiseField field(32, 0.3, 0.05);
  const auto& spectrum = field.spectrum();
  double sum = 0;
  for (const double variance : spectrum) sum += variance;
  EXPECT_NEAR(sum / 1024, 0.35, 1e-12);
  const double at_two = spectrum[4] - 0.05,
               at_eight = spectrum[16 * 32] - 0.05;  // cycles per image
  EXPECT_NEAR(at_two / at_eight, 16, 1e-9);
  EXPECT_NEAR(spectrum[0], spectrum[1], 1e-12);
}

// A size that 16 does not divide takes the padded path.
TEST(World, FieldIsTheInverseTransformOfKeyedNormals) {
  constexpr int size = 33;
  const NoiseField field(size, 1, 0.1);
  std::vector<float> out(2 * size * size), scratch, numbers(out.size());
  field.draw(Seed(5), 7, 2, out, scratch);
  normals(Seed(5), 7, 0, numbers);
  for (size_t channel = 0; channel < 2; ++channel) {
    const size_t at = channel * size * size;
    const Matrix coefficients = transform(dct(size), out.data() + at, size);
    for (size_t k = 0; k < coefficients.size(); ++k)
      ASSERT_NEAR(coefficients[k], double{numbers[at + k]} * std::sqrt(field.spectrum()[k]),
                  1e-4 * std::sqrt(field.spectrum()[0]));
  }
}

// H0: E[mean square of A·T] = .25·s/(1 + s), and of the noise .25/(1 + s). n = 4,000 scenes,
// z-test, level 1e-6; power .99 against 8% (coefficient of variation of the mean square about .7).
TEST(World, DataSnrIsTheRatioOfMeanSquares) {
  for (const double snr : {0.5, 4.0}) {
    WorldConfig config;
    config.data_snr = snr;
    const World world(config, Seed(4));
    double sum = 0, squares = 0;
    constexpr int n = 4000;
    for (int64_t i = 0; i < n; ++i) {
      double power = 0;
      for (const float value : world.template_image(world.scene(i))) power += double{value} * value;
      power /= static_cast<double>(world.image_numbers());
      sum += power;
      squares += power * power;
    }
    const double mean = sum / n, error = std::sqrt((squares / n - mean * mean) / n);
    EXPECT_LT(std::abs(mean - 0.25 * snr / (1 + snr)), test::normal_quantile(5e-7) * error);
    double noise = 0;
    for (const double variance : world.noise_spectrum()) noise += variance / 1024;
    EXPECT_NEAR(noise, 0.25 / (1 + snr), 1e-12);
  }
}

TEST(World, ImageDependsOnSeedAndIndexAlone) {
  const World first(WorldConfig{}, Seed(1)), second(WorldConfig{}, Seed(1)), other({}, Seed(2));
  std::vector<float> forward(first.image_numbers()), backward(forward), scratch;
  std::vector<std::vector<float>> kept;
  for (int64_t i = 0; i < 8; ++i) {
    first.image(i, forward, scratch);
    kept.push_back(forward);
  }
  for (int64_t i = 7; i >= 0; --i) {
    second.image(i, backward, scratch);
    EXPECT_EQ(backward, kept[static_cast<size_t>(i)]);
  }
  other.image(0, forward, scratch);
  EXPECT_NE(forward, kept[0]);
  EXPECT_NE(kept[0], kept[1]);
}

TEST(World, ObjectMovesByWholePixelsAndNeverLeavesTheImage) {
  const World world(WorldConfig{}, Seed(1));
  Scene scene{{3, 2, 0, 0, 3, 5, 2, 6}};
  const std::vector<float> at_origin = world.template_image(scene);
  scene.values[x] = 15;
  scene.values[y] = 15;
  const std::vector<float> moved = world.template_image(scene);
  size_t lit = 0;
  for (size_t c = 0; c < 3; ++c)
    for (size_t row = 0; row < 17; ++row)
      for (size_t column = 0; column < 17; ++column) {
        const float here = at_origin[(c * 32 + row) * 32 + column];
        lit += here != 0;
        ASSERT_NEAR(here, moved[(c * 32 + row + 15) * 32 + column + 15], 1e-5);
      }
  EXPECT_EQ(lit, static_cast<size_t>(std::count_if(at_origin.begin(), at_origin.end(),
                                                   [](float value) { return value != 0; })));
}

TEST(World, EveryValueOfEveryFactorLooksDifferent) {
  const World world(WorldConfig{}, Seed(1));
  for (int kind = 0; kind < 4; ++kind)
    for (int factor = 0; factor < factor_count; ++factor) {
      std::vector<std::vector<float>> pictures;
      for (int value = 0; value < factor_specs[static_cast<size_t>(factor)].cardinality; ++value) {
        Scene scene{{kind, 3, 7, 8, 2, 1, 2, 1}};
        scene.values[static_cast<size_t>(factor)] = value;
        const std::vector<float> picture = world.template_image(scene);
        for (const auto& before : pictures) {
          double distance = 0;
          for (size_t i = 0; i < picture.size(); ++i)
            distance += std::pow(double{picture[i]} - before[i], 2);
          EXPECT_GT(distance, 1) << factor_specs[static_cast<size_t>(factor)].name << " = " << value
                                 << " of shape " << kind;
        }
        pictures.push_back(picture);
      }
    }
}

}  // namespace
}  // namespace assay::world
