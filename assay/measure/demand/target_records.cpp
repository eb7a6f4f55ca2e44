// Target SNR as measurements.
#include "assay/tensor/torch.h"

#include "assay/measure/demand/target_records.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "assay/measure/demand/ratio.h"
#include "assay/measure/estimate_record.h"

namespace assay::demand {

namespace {

/// Of one term or cell, one value an independent unit.
struct Units {
  std::vector<double> loss, gain, null, targets;
  int64_t examples = 0;  // with targets
};

std::vector<double> to_vector(const Tensor& values) {
  const Tensor flat = values.contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

class Recorder {
 public:
  Recorder(const Subject& subject, Objective& objective, Weights weights,
           const TargetLosses& losses, const TargetPlan& plan)
      : subject_(subject),
        objective_(objective),
        cells_(objective.cells()),
        units_(objective.units()),
        losses_(losses),
        plan_(plan),
        weights_(to_string(weights)) {}

  void add_term(const std::string& term);
  /// A level of a term that has bands too, its bands together, and the other way round.
  void add_margins(const std::string& term);
  void add_cell(size_t cell);
  void add_without_target(const std::string& term);
  std::vector<Measurement> out;

 private:
  /// Sums over columns; of a coupled objective means over whole batches, whose rows depend on each
  /// other.
  Units units_of(const std::vector<int64_t>& columns) const;
  std::map<std::string, std::string> labels_of(const std::string& term, int level, int band) const;
  void add(const std::string& term, const std::map<std::string, std::string>& labels,
           const Units& units);
  Measurement record(const std::string& quantity, const std::string& unit,
                     const std::map<std::string, std::string>& labels, const std::string& caution,
                     const std::string& method) const;

  const Subject& subject_;
  Objective& objective_;
  std::vector<Cell> cells_;
  std::map<std::string, std::string> units_;
  const TargetLosses& losses_;
  const TargetPlan& plan_;
  std::string weights_;
};

std::map<std::string, std::string> Recorder::labels_of(const std::string& term, int level,
                                                       int band) const {
  std::map<std::string, std::string> labels = {{"weights", weights_}, {"term", term}};
  if (level >= 0) labels["level"] = fmt::format("{}", level);
  if (band >= 0) labels["band"] = objective_.bands().at(static_cast<size_t>(band));
  return labels;
}

Units Recorder::units_of(const std::vector<int64_t>& columns) const {
  const Tensor chosen = at::tensor(columns, at::kLong);
  const auto sums = [&](const Tensor& by_cell) {
    const Tensor sum = by_cell.index_select(1, chosen).sum(1);
    return objective_.coupled() ? sum.view({-1, subject_.state().train.batch}).mean(1) : sum;
  };
  const Tensor loss = sums(losses_.loss), null = sums(losses_.null),
               targets = sums(losses_.targets);
  return {to_vector(loss), to_vector(null - loss), to_vector(null), to_vector(targets),
          losses_.targets.index_select(1, chosen).sum(1).gt(0).sum().item<int64_t>()};
}

Measurement Recorder::record(const std::string& quantity, const std::string& unit,
                             const std::map<std::string, std::string>& labels,
                             const std::string& caution, const std::string& method) const {
  Measurement m = subject_.measurement("demand", quantity, unit);
  m.labels = labels;
  m.method =
      fmt::format("{}; null fitted on {} training examples, held-out {}, {} draws; Fieller", method,
                  plan_.fit, objective_.coupled() ? "batches" : "examples", plan_.draws);
  m.note = caution;
  return m;
}

Measurement with_ratio(Measurement m, const MeanRatio& ratio, int64_t examples) {
  if (!ratio.note.empty()) m.note = ratio.note + (m.note.empty() ? "" : "; " + m.note);
  m = with_estimate(std::move(m), ratio.estimate);
  m.n = examples;
  return m;
}

/// A Gaussian channel that carries g nats a number has the SNR e^(2g) - 1.
double channel_snr(double nats) { return std::expm1(2 * nats); }

void Recorder::add(const std::string& term, const std::map<std::string, std::string>& labels,
                   const Units& units) {
  const TermInfo& info = losses_.terms.at(term);
  if (units.examples < 2) return;  // n would promise an interval
  const std::string targets = "the number of targets";
  out.push_back(with_ratio(record("null_loss", units_.at(term), labels, info.caution,
                                  "mean loss of the null predictor over mean targets"),
                           ratio_of_means(units.null, units.targets, targets), units.examples));
  MeanRatio nats = ratio_of_means(units.gain, units.targets, targets);
  if (info.null.nats) {
    MeanRatio bits = nats;
    for (double* value : {&bits.estimate.value, &bits.estimate.low, &bits.estimate.high})
      *value /= std::numbers::ln2;
    out.push_back(with_ratio(
        record("bits_gained", "bit", labels, info.caution, "(null loss − loss) over mean targets"),
        bits, units.examples));
  }
  MeanRatio snr = ratio_of_means(units.gain, units.loss, "the loss");
  std::string method = info.null.nats ? "(H_null − L)/L" : "(L_null − L)/L = R²/(1 − R²)";
  if (info.null.variances > 0) {
    snr = nats;
    for (double* value : {&snr.estimate.value, &snr.estimate.low, &snr.estimate.high})
      *value = channel_snr(*value);
    method = "a density has no ratio of nats: 2^(2 bits) − 1 of the bits gained per number";
  } else if (info.null.kind == NullKind::huber || info.null.kind == NullKind::direction) {
    method = "(L_null − L)/L";
  }
  out.push_back(
      with_ratio(record("target_snr", "1", labels, info.caution, method), snr, units.examples));
}

void Recorder::add_term(const std::string& term) {
  std::vector<int64_t> columns;
  for (size_t c = 0; c < cells_.size(); ++c)
    if (cells_[c].term == term) columns.push_back(static_cast<int64_t>(c));
  add(term, labels_of(term, -1, -1), units_of(columns));
}

void Recorder::add_cell(size_t index) {
  const Cell& cell = cells_[index];
  add(cell.term, labels_of(cell.term, cell.level_bin, cell.band),
      units_of({static_cast<int64_t>(index)}));
}

void Recorder::add_margins(const std::string& term) {
  std::map<std::pair<int, int>, std::vector<int64_t>> columns;
  for (size_t c = 0; c < cells_.size(); ++c) {
    const Cell& cell = cells_[c];
    if (cell.term != term || cell.level_bin < 0 || cell.band < 0) continue;
    columns[{cell.level_bin, -1}].push_back(static_cast<int64_t>(c));
    columns[{-1, cell.band}].push_back(static_cast<int64_t>(c));
  }
  for (const auto& [place, of] : columns)
    add(term, labels_of(term, place.first, place.second), units_of(of));
}

void Recorder::add_without_target(const std::string& term) {
  Measurement m = subject_.measurement("demand", "target_snr", "1");
  m.labels = labels_of(term, -1, -1);
  m.value = std::numeric_limits<double>::quiet_NaN();
  m.n = losses_.loss.size(0);
  m.method = "(L_null − L)/L";
  m.note = "a regulariser has no target: nothing that a null prediction could miss";
  out.push_back(std::move(m));
}

}  // namespace

std::vector<Measurement> target_records(const Subject& subject, Objective& objective,
                                        Weights weights, const TargetLosses& losses,
                                        const TargetPlan& plan) {
  Recorder recorder(subject, objective, weights, losses, plan);
  const std::vector<Cell> cells = objective.cells();
  std::vector<std::string> terms;
  for (const Cell& cell : cells)
    if (std::find(terms.begin(), terms.end(), cell.term) == terms.end()) terms.push_back(cell.term);
  for (const std::string& term : terms) {
    if (!losses.terms.contains(term)) {
      recorder.add_without_target(term);
      continue;
    }
    recorder.add_term(term);
    recorder.add_margins(term);
    for (size_t c = 0; c < cells.size(); ++c)
      if (cells[c].term == term && (cells[c].level_bin >= 0 || cells[c].band >= 0))
        recorder.add_cell(c);
  }
  return std::move(recorder.out);
}

}  // namespace assay::demand
