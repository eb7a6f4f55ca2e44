#include "assay/law/study/local_slopes.h"

#include <Eigen/Dense>
#include <cmath>

namespace assay {
namespace {

constexpr Eigen::Index kFewestRows = 6;
constexpr double kGreatestCondition = 1e4;  // of the centred, scaled columns' moment matrix

}  // namespace

std::optional<LocalSlopes> local_slopes(std::span<const Observation> observations) {
  std::vector<const Observation*> rows;
  for (const Observation& row : observations)
    if (row.status == ObservationStatus::measured && row.model_size > 0 && row.data_size > 0 &&
        row.loss > 0)
      rows.push_back(&row);
  const auto n = static_cast<Eigen::Index>(rows.size());
  if (n < kFewestRows) return std::nullopt;
  Eigen::MatrixX3d design(n, 3);
  Eigen::VectorXd logs(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Observation& row = *rows[static_cast<size_t>(i)];
    design.row(i) << 1, -std::log(row.model_size), -std::log(row.data_size);
    logs(i) = std::log(row.loss);
  }
  // Centred for the condition's sake; slopes do not notice.
  design.col(1).array() -= design.col(1).mean();
  design.col(2).array() -= design.col(2).mean();
  const Eigen::Vector2d spread(design.col(1).norm(), design.col(2).norm());
  if (!(spread.minCoeff() > 0)) return std::nullopt;
  const double cosine = design.col(1).dot(design.col(2)) / (spread(0) * spread(1));
  if (!((1 + std::fabs(cosine)) < kGreatestCondition * (1 - std::fabs(cosine))))
    return std::nullopt;

  const Eigen::Matrix3d inverse = (design.transpose() * design).inverse();
  const Eigen::Vector3d slopes = inverse * design.transpose() * logs;
  const Eigen::VectorXd residuals = logs - design * slopes;
  const Eigen::VectorXd leverage = (design * inverse).cwiseProduct(design).rowwise().sum();
  if (!(leverage.maxCoeff() < 1 - 1e-9)) return std::nullopt;
  const Eigen::VectorXd weights = (residuals.array() / (1 - leverage.array())).square();
  const Eigen::Matrix3d covariance =
      inverse * (design.transpose() * weights.asDiagonal() * design) * inverse;
  const auto degrees = static_cast<double>(n - 3);
  const auto estimate = [&](int j) {
    return student_interval(slopes(j), std::sqrt(covariance(j, j)), degrees, n);
  };
  return LocalSlopes{estimate(1), estimate(2), n};
}

}  // namespace assay
