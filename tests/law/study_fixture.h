// A study folder whose trials lie on planted laws.
#pragma once

#include <nlohmann/json.hpp>

#include "assay/law/study/study_laws.h"
#include "assay/store/files.h"
#include "law/laws.h"

namespace assay::testing {

struct PlantedLaw {
  std::string objective;
  std::vector<double> deficit;  // parameters of "chinchilla", of the bits that are missing
  double sigma = 0.005;         // of log values, between trials
  bool moving_target = false;
};

/// Four trunk sizes by four data sizes, two decades each, the corners twice; heads double N.
inline StudyFolder planted_study(const std::vector<PlantedLaw>& laws, uint64_t seed = 1) {
  const FormPointer form = make_form("chinchilla");
  StudyFolder study;
  study.name = "planted";
  Normals normal(seed);
  const auto add = [&](const PlantedLaw& law, double size, double data, int of_seed) {
    TrialFolder trial;
    trial.name = law.objective + "/width=" + std::to_string(int(std::sqrt(size / 48))) +
                 "/examples=" + std::to_string(int(data)) + "/seed=" + std::to_string(of_seed);
    trial.id = trial.name;
    trial.status = "completed";
    trial.trunk_parameters = size;
    trial.parameters = 2 * size;
    trial.step = 100;
    trial.config = std::make_shared<nlohmann::json>(nlohmann::json{
        {"name", trial.name},
        {"objective",
         {{"name", law.objective},
          {"term", {{"a", {{"target", {{"teacher", law.moving_target ? "ema" : "frozen"}}}}}}}}},
        {"model", {{"width", int(std::sqrt(size / 48))}, {"depth", 4}}},
        {"train", {{"seed", of_seed}, {"budget", {{"examples", int(data)}}}}}});
    trial.ledger = Ledger{.step = 100,
                          .training_flops = 6 * size * data,
                          .examples = int64_t(data),
                          .unique_examples = int64_t(data) / 2};
    Observation at;
    at.model_size = size;
    at.data_size = data;
    const auto measure = [&](const char* meter, const char* quantity, int64_t step, double value,
                             std::map<std::string, std::string> labels) {
      trial.measurements.push_back({.meter = meter,
                                    .quantity = quantity,
                                    .unit = "bit",
                                    .step = step,
                                    .flops = 6 * size * data * double(step) / 100,
                                    .labels = std::move(labels),
                                    .value = value,
                                    .low = {},
                                    .high = {},
                                    .method = {},
                                    .note = {}});
    };
    for (const int64_t step : {0, 50, 100}) {
      const double noise = std::exp(law.sigma * normal());
      const double value = step == 100 ? predict(*form, law.deficit, at) * noise : 99;
      for (const char* features : {"trained", "random_init"})
        measure("probe", "deficit_bits", step, features[0] == 't' ? value : 30,
                {{"factor", "all"}, {"features", features}, {"readout", "attentive"}});
      measure("heldout_loss", "loss_per_target", step, 2 * value,
              {{"term", "a"}, {"weights", "averaged"}});
      measure("heldout_loss", "loss_per_target", step, 1000, {{"weights", "live"}});
      measure("heldout_loss", "loss_per_target", step, 500, {{"band", "0"}});
    }
    study.trials.push_back(std::move(trial));
  };
  const std::vector<double> sizes = decades(3e4, 2, 4), data = decades(3e3, 2, 4);
  for (const PlantedLaw& law : laws) {
    for (const double size : sizes)
      for (const double examples : data) add(law, size, std::round(examples), 0);
    for (const double size : {sizes.front(), sizes.back()})
      for (const double examples : {data.front(), data.back()}) add(law, size, examples, 1);
  }
  return study;
}

/// Floor 4 bits; N and D terms of 6 bits each at the smallest.
inline std::vector<double> deficit_law(double floor, double alpha, double beta) {
  return {floor, 6 * std::pow(3e4, alpha), 6 * std::pow(3e3, beta), alpha, beta};
}

}  // namespace assay::testing
