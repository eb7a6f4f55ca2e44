// What a measurement of a trained trial leaves.
#include "assay/tensor/torch.h"

#include "assay/study/measured_step.h"

#include <nlohmann/json.hpp>

#include "assay/store/measure_log.h"

namespace assay {

using Json = nlohmann::json;

nlohmann::json record_step(const OpenTrial& trial, const Subject& subject,
                           const std::vector<Measurement>& measurements,
                           const std::vector<nlohmann::json>& costs) {
  std::vector<Json> lines;
  for (const Measurement& m : measurements) lines.push_back(to_json(m));
  Json records = lines;
  lines.insert(lines.end(), costs.begin(), costs.end());
  append_measures(trial.folder, lines);
  return {{"step", subject.state().step},
          {"fraction", subject.state().fraction},
          {"measurements", std::move(records)},
          {"measuring", costs}};
}

nlohmann::json measured_answer(const OpenTrial& trial, nlohmann::json steps) {
  return {{"trial", trial.folder.filename().string()},
          {"name", trial.config.name},
          {"folder", trial.folder.string()},
          {"steps", std::move(steps)}};
}

}  // namespace assay
