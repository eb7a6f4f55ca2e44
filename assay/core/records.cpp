#include "assay/core/records.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

nlohmann::json number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

double number_at(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it == json.end() || it->is_null() ? std::numeric_limits<double>::quiet_NaN()
                                           : it->get<double>();
}

std::optional<double> optional_at(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return std::nullopt;
  return it->get<double>();
}

}  // namespace

nlohmann::json to_json(const Cell& cell) {
  return {{"term", cell.term}, {"level_bin", cell.level_bin}, {"band", cell.band}};
}

Cell cell_from_json(const nlohmann::json& json) {
  return {json.at("term"), json.at("level_bin"), json.at("band")};
}

nlohmann::json to_json(const Measurement& m) {
  nlohmann::json json{{"kind", "measurement"},    {"meter", m.meter},
                      {"quantity", m.quantity},   {"unit", m.unit},
                      {"step", m.step},           {"fraction", m.fraction},
                      {"flops", m.flops},         {"labels", m.labels},
                      {"value", number(m.value)}, {"n", m.n},
                      {"method", m.method}};
  if (m.low || m.high) {
    json["low"] = m.low ? number(*m.low) : nlohmann::json(nullptr);
    json["high"] = m.high ? number(*m.high) : nlohmann::json(nullptr);
    json["coverage"] = m.coverage;
  }
  if (!m.note.empty()) json["note"] = m.note;
  return json;
}

Measurement measurement_from_json(const nlohmann::json& json) {
  Measurement m;
  m.meter = json.at("meter");
  m.quantity = json.at("quantity");
  m.unit = json.at("unit");
  m.step = json.at("step");
  m.fraction = json.at("fraction");
  m.flops = json.at("flops");
  m.labels = json.at("labels").get<std::map<std::string, std::string>>();
  m.value = number_at(json, "value");
  m.low = optional_at(json, "low");
  m.high = optional_at(json, "high");
  m.coverage = json.value("coverage", 0.95);
  m.n = json.at("n");
  m.method = json.at("method");
  m.note = json.value("note", "");
  return m;
}

nlohmann::json to_json(const Ledger& l) {
  return {{"kind", "ledger"},
          {"step", l.step},
          {"training_flops", l.training_flops},
          {"measuring_flops", l.measuring_flops},
          {"examples", l.examples},
          {"unique_examples", l.unique_examples},
          {"tokens", l.tokens}};
}

Ledger ledger_from_json(const nlohmann::json& json) {
  return {json.at("step"),     json.at("training_flops"),  json.at("measuring_flops"),
          json.at("examples"), json.at("unique_examples"), json.at("tokens")};
}

nlohmann::json to_json(const Outcome& outcome) {
  return {{"status", outcome.status}, {"reason", outcome.reason}, {"step", outcome.step}};
}

Outcome outcome_from_json(const nlohmann::json& json) {
  return {json.at("status"), json.value("reason", ""), json.value("step", int64_t{0})};
}

}  // namespace assay
