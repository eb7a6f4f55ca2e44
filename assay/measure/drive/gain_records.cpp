// Gains and drift of branches as measurements.
#include "assay/tensor/torch.h"

#include "assay/measure/drive/gain_records.h"

#include <fmt/format.h>

#include "assay/measure/estimate_record.h"

namespace assay::drive {
namespace {

/// Branches × images with a known label, row-major, and the number of images.
struct Table {
  std::vector<double> values;
  int64_t images = 0;
};

Table table_of(const std::vector<Tensor>& by_branch, const probe::Column& column) {
  Table table;
  for (const Tensor& gains : by_branch) {
    const std::vector<double> row = probe::known_sums(gains, column);
    table.images = static_cast<int64_t>(row.size());
    table.values.insert(table.values.end(), row.begin(), row.end());
  }
  return table;
}

std::vector<double> means_of(const Table& table) {
  std::vector<double> means;
  const auto images = static_cast<size_t>(table.images);
  for (size_t at = 0; at < table.values.size(); at += images) {
    double sum = 0;
    for (size_t i = 0; i < images; ++i) sum += table.values[at + i];
    means.push_back(sum / static_cast<double>(images));
  }
  return means;
}

Estimate scaled(Estimate estimate, double factor) {
  estimate.value *= factor;
  estimate.low *= factor;
  estimate.high *= factor;
  estimate.standard_error *= factor;
  return estimate;
}

Estimate bare(double value, int64_t n) { return {value, NAN, NAN, NAN, n}; }

constexpr const char* kCrossed =
    "t over branches and images, crossed (Satterthwaite), given the readouts' training images";

}  // namespace

Records::Records(const Subject& subject, const std::vector<Factor>& factors, BranchCost cost)
    : subject_(subject), columns_(probe::columns_of(factors)), cost_(std::move(cost)) {}

void Records::add(const std::string& quantity, const std::string& unit,
                  std::map<std::string, std::string> labels, const Estimate& estimate,
                  const std::string& method) {
  Measurement m = subject_.measurement("drive", quantity, unit);
  m.labels = std::move(labels);
  m.labels["weights"] = "averaged";
  if (!cost_.objective.empty()) m.labels["objective"] = cost_.objective;
  m.method = fmt::format("{} branches of {} steps; {}", cost_.branches, cost_.steps, method);
  out.push_back(with_estimate(std::move(m), estimate));
}

void Records::gains(const std::vector<Tensor>& by_branch) {
  for (const probe::Column& column : columns_) {
    const Table table = table_of(by_branch, column);
    if (table.images < 2) continue;
    const CrossedMean crossed = crossed_mean(table.values, cost_.branches, table.images);
    const std::map<std::string, std::string> labels = {{"factor", column.name}};
    add("gain_bits", "bit", labels, crossed.mean, kCrossed);
    add("useful_rate", "bit/GFLOP", labels, scaled(crossed.mean, 1 / cost_.gflops), kCrossed);
    add("useful_snr", "1", labels, standardised_mean(means_of(table)),
        "mean gain over its standard deviation between branches on these images; noncentral t");
    const auto variance = [&](const std::string& quantity, double value, int64_t n) {
      add(quantity, "bit²", labels, bare(value, n), "mean squares of the crossed table");
    };
    variance("branch_variance", crossed.rows, cost_.branches);
    variance("image_variance", crossed.columns, table.images);
    variance("residual_variance", crossed.residual, cost_.branches * table.images);
  }
}

void Records::null(const std::string& name, const std::vector<Tensor>& by_branch) {
  for (const probe::Column& column : columns_) {
    const Table table = table_of(by_branch, column);
    if (table.images < 2) continue;
    const Estimate mean = crossed_mean(table.values, cost_.branches, table.images).mean;
    add("null_gain_bits", "bit", {{"factor", column.name}, {"null", name}}, mean, kCrossed);
  }
}

void Records::drift(const std::vector<Drift>& drifts, const std::string& of) {
  const std::string unit = of == "features" ? "squared standard deviation" : "squared parameter";
  const std::string method = "unbiased signal over unbiased spread; delete-one-branch jackknife";
  for (const Drift& drift : drifts) {
    const std::map<std::string, std::string> labels = {{"of", of}, {"group", drift.group}};
    add("drift_signal", unit, labels, drift.estimate.signal, method);
    add("drift_spread", unit, labels, drift.estimate.spread, method);
    add("drift_snr", "1", labels, drift.estimate.snr, method);
  }
}

void Records::attribution(const std::vector<Attribution>& all) {
  const std::string method =
      "half the sum of the probe losses' gradients at start and at the other branches' ends, times "
      "the way; t over branches, given the images";
  std::map<std::string, Tensor> whole;  // by group
  const auto write = [&](const Attribution& share) {
    for (const probe::Column& column : columns_) {
      std::map<std::string, std::string> labels = {{"factor", column.name}, {"group", share.group}};
      if (!share.part.empty()) labels["part"] = share.part;
      add("attribution_bits", "bit", labels, mean_interval(probe::known_sums(share.bits, column)),
          method);
    }
  };
  for (const Attribution& share : all) {
    if (share.group == "head") continue;  // probes do not read it
    write(share);
    auto& sum = whole[share.group];
    sum = sum.defined() ? sum + share.bits : share.bits.clone();
  }
  for (const auto& [group, bits] : whole) write({"", group, bits});
}

}  // namespace assay::drive
