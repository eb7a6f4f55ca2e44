// Cosine bands, patches, shape checks, keyed noise tensors.
#include "assay/tensor/bands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "assay/core/error.h"
#include "assay/noise/noise.h"
#include "assay/tensor/noise.h"
#include "assay/tensor/patches.h"
#include "assay/tensor/shape.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const at::TensorOptions kDouble = at::TensorOptions(at::kDouble);

TEST(Bands, MatrixIsOrthonormal) {
  for (const int64_t n : {1, 4, 7, 32}) {
    const Tensor matrix = dct_matrix(n);
    EXPECT_LT((matrix.mm(matrix.t()) - at::eye(n, kDouble)).abs().max().item<double>(), 1e-12) << n;
  }
}

TEST(Bands, CommonEdgesOnImages) {
  const BandSpectrum spectrum(32, 4);
  EXPECT_THAT(spectrum.names(), ElementsAre("[0,1/16)", "[1/16,1/8)", "[1/8,1/4)", "[1/4,1/2]"));
  EXPECT_THAT(spectrum.coefficients(), ElementsAre(16, 48, 192, 768));
  EXPECT_THAT(BandSpectrum(32, 1).coefficients(), ElementsAre(1024));
}

TEST(Bands, OctavesWithoutCoefficientsAreLeftOutAndNamed) {
  const BandSpectrum spectrum(4, 4);
  EXPECT_THAT(spectrum.names(), ElementsAre("[0,1/8)", "[1/8,1/4)", "[1/4,1/2]"));
  EXPECT_THAT(spectrum.coefficients(), ElementsAre(1, 3, 12));
  EXPECT_THAT(BandSpectrum(2, 4).names(), ElementsAre("[0,1/4)", "[1/4,1/2]"));
}

// Both paths (one product for small squares, rows then columns for large ones).
TEST(Bands, EnergySumsToTheSquaredNorm) {
  for (const int64_t size : {4, 8, 32}) {
    const Tensor squares =
        normal_rows(Seed(1), {std::vector<int64_t>{1, 2}, std::vector<int64_t>{0, 0}},
                    {3, size, size}, kDouble);
    const Tensor energy = BandSpectrum(size, 4).energy(squares);
    const Tensor norm = squares.square().sum({1, 2, 3});
    EXPECT_LT(((energy.sum(1) - norm) / norm).abs().max().item<double>(), 1e-12) << size;
  }
}

// A pure cosine of frequency u / 2n along one axis lands in the band of u, whichever the axis.
TEST(Bands, CosinesLandInTheirBand) {
  for (const int64_t size : {4, 32}) {
    const BandSpectrum spectrum(size, 4);
    const Tensor matrix = dct_matrix(size);
    for (int64_t u = 0; u < size; ++u) {
      const double frequency = static_cast<double>(u) / (2.0 * static_cast<double>(size));
      int64_t band = 0;
      if (size == 32)
        band = (frequency >= 1. / 16) + (frequency >= 1. / 8) + (frequency >= 1. / 4);
      else
        band = (frequency >= 1. / 8) + (frequency >= 1. / 4);
      const Tensor row = matrix[u].expand({size, size});
      for (const Tensor& wave : {row, row.t()}) {
        const Tensor energy = spectrum.energy(wave.reshape({1, 1, size, size}));
        EXPECT_NEAR(energy[0][band].item<double>(), static_cast<double>(size), 1e-10);
        EXPECT_NEAR(energy.sum().item<double>(), static_cast<double>(size), 1e-10);
      }
    }
  }
}

TEST(Patches, RoundTripAndOrder) {
  const Tensor images = at::arange(2 * 3 * 8 * 8, kDouble).view({2, 3, 8, 8});
  const Tensor tokens = patchify(images, 4);
  EXPECT_TRUE(at::equal(unpatchify(tokens, 4, 3), images));
  // Patch 1 is the upper right one; its numbers are ordered channel, row, column.
  EXPECT_TRUE(at::equal(tokens[1][1].view({3, 4, 4}), images[1].narrow(1, 0, 4).narrow(2, 4, 4)));
  EXPECT_THROW(patchify(images, 3), Error);
}

TEST(Shape, MessageNamesTensorAndBothShapes) {
  EXPECT_NO_THROW(check_shape(at::zeros({2, 3}), {2, kAny}, "x"));
  try {
    check_shape(at::zeros({2, 3}), {kAny, 4}, "mae.images");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "tensor.shape");
    EXPECT_THAT(error.what(), HasSubstr("mae.images is [2, 3], must be [any, 4]"));
  }
  EXPECT_THROW(check_shape(Tensor(), {1}, "x"), Error);
}

TEST(NoiseTensor, RowsDependOnTheirKeysAlone) {
  const std::vector<int64_t> ids = {5, 9, 5}, replicas = {0, 0, 1};
  const Tensor rows = normal_rows(Seed(3), {ids, replicas}, {2, 7}, at::kFloat);
  const std::vector<int64_t> other = {9}, zero = {0};
  EXPECT_TRUE(at::equal(rows[1], normal_rows(Seed(3), {other, zero}, {2, 7}, at::kFloat)[0]));
  EXPECT_FALSE(at::equal(rows[0], rows[2]));
  std::vector<float> span(14);
  normals(Seed(3), 5, 0, span);
  EXPECT_EQ(rows[0][1][6].item<float>(), span[13]);
}

}  // namespace
}  // namespace assay
