#include "assay/law/study/local_slopes.h"

#include <Eigen/Dense>
#include <cmath>
#include <map>
#include <vector>

namespace assay {
namespace {

constexpr Eigen::Index kFewestRows = 6;
constexpr double kGreatestCondition = 1e4;  // of the centred, scaled columns' moment matrix

std::vector<std::vector<Eigen::Index>> rows_by_run(const std::vector<const Observation*>& rows) {
  std::vector<std::vector<Eigen::Index>> out;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& run = rows[i]->run;
    const std::size_t place =
        run.empty() ? out.size() : known.try_emplace(run, out.size()).first->second;
    if (place == out.size()) out.emplace_back();
    out[place].push_back(static_cast<Eigen::Index>(i));
  }
  return out;
}

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
  const auto runs = rows_by_run(rows);
  Eigen::Matrix3d covariance = Eigen::Matrix3d::Zero();
  for (const std::vector<Eigen::Index>& run : runs) {
    // What leaving the run out changes: (XᵀX)⁻¹ X_gᵀ (1 − H_gg)⁻¹ r_g.
    const auto k = static_cast<Eigen::Index>(run.size());
    const Eigen::MatrixX3d own = design(run, Eigen::all);
    const Eigen::MatrixXd left = Eigen::MatrixXd::Identity(k, k) - own * inverse * own.transpose();
    const Eigen::LDLT<Eigen::MatrixXd> solver(left);
    if (!(solver.vectorD().minCoeff() > 1e-9)) return std::nullopt;
    const Eigen::Vector3d change = inverse * own.transpose() * solver.solve(residuals(run));
    covariance += change * change.transpose();
  }
  const auto degrees = static_cast<double>(std::ssize(runs) - 3);
  if (!(degrees > 0)) return std::nullopt;
  const auto estimate = [&](int j) {
    return student_interval(slopes(j), std::sqrt(covariance(j, j)), degrees, n);
  };
  return LocalSlopes{estimate(1), estimate(2), n, static_cast<int64_t>(runs.size())};
}

}  // namespace assay
