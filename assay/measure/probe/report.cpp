// Readouts to measurements: bits and accuracy of each factor, sums of factors, gains.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/report.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/measure/estimate_record.h"

namespace assay::probe {
namespace {}  // namespace

std::vector<Column> columns_of(const std::vector<Factor>& factors) {
  std::vector<Column> columns;
  Column all{"all", true, {}, 0}, content{"content", true, {}, 0},
      position{"position", true, {}, 0};
  for (size_t k = 0; k < factors.size(); ++k) {
    const auto index = static_cast<int64_t>(k);
    columns.push_back({factors[k].name, false, {index}, factors[k].entropy_bits});
    for (Column* total : {&all, factors[k].kind == "position" ? &position : &content}) {
      total->factors.push_back(index);
      total->entropy += factors[k].entropy_bits;
    }
  }
  columns.push_back(all);
  for (const Column& total : {content, position})
    if (!total.factors.empty()) columns.push_back(total);
  return columns;
}

std::vector<double> known_sums(const Tensor& values, const Column& column) {
  const Tensor chosen = values.index_select(1, torch::tensor(column.factors)).sum(1);
  const Tensor known = chosen.masked_select(chosen.isnan().logical_not()).contiguous();
  return {known.data_ptr<double>(), known.data_ptr<double>() + known.numel()};
}

namespace {

class Writer {
 public:
  Writer(const Subject& subject, const std::vector<Factor>& factors)
      : subject_(subject), columns_(columns_of(factors)) {}

  void levels(const std::string& readout, const std::string& features, const Readout& read) {
    for (const Column& column : columns_) {
      std::vector<double> bits = known_sums(read.test.log2_probability, column);
      for (double& value : bits) value += column.entropy;
      const Estimate estimate = mean_interval(bits);
      const std::string note =
          column.sum ? std::string()
                     : fmt::format("chosen by validation: {}",
                                   read.chosen[static_cast<size_t>(column.factors.front())]);
      add("bits", "bit", column, readout, features, estimate,
          "H(factor) minus cross-entropy on test examples; t over examples", note);
      if (features == "trained")
        add("deficit_bits", "bit", column, readout, features, mirrored(column.entropy, estimate),
            "identifiable bits, taken to be H(factor), minus probe bits; t over examples", note);
      if (!column.sum)
        add("accuracy", "1", column, readout, features,
            mean_interval(known_sums(read.test.correct, column)),
            "share of test examples; t over examples", note);
    }
  }

  void gains(const std::string& readout, const Readout& trained, const Readout& initial) {
    const Tensor difference = trained.test.log2_probability - initial.test.log2_probability;
    for (const Column& column : columns_)
      add("bits_gain", "bit", column, readout, "gain",
          mean_interval(known_sums(difference, column)),
          "trained minus random init of the same seed; paired t over test examples", {});
  }

  std::vector<Measurement> out;

 private:
  static Estimate mirrored(double total, const Estimate& bits) {
    return {total - bits.value, total - bits.high, total - bits.low, bits.standard_error, bits.n};
  }

  void add(const std::string& quantity, const std::string& unit, const Column& column,
           const std::string& readout, const std::string& features, const Estimate& estimate,
           const std::string& method, const std::string& note) {
    Measurement m = subject_.measurement("probe", quantity, unit);
    m.labels = {{"factor", column.name},
                {"readout", readout},
                {"features", features},
                {"weights", features == "random_init" ? "initial" : "averaged"}};
    if (features == "raw_input") m.labels.erase("weights");
    m.method = method;
    m.note = note;
    out.push_back(with_estimate(std::move(m), estimate));
  }

  const Subject& subject_;
  std::vector<Column> columns_;
};

}  // namespace

std::vector<Measurement> measurements(const Subject& subject, const std::vector<Factor>& factors,
                                      const Readings& readings) {
  Writer writer(subject, factors);
  for (const auto& [readout, trained] : readings.trained) {
    const Readout& initial = readings.random_init.at(readout);
    writer.levels(readout, "trained", trained);
    writer.levels(readout, "random_init", initial);
    writer.levels(readout, "raw_input", readings.raw_input.at(readout));
    writer.gains(readout, trained, initial);
  }
  return std::move(writer.out);
}

}  // namespace assay::probe
