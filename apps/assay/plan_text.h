// A plan as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "apps/assay/plan_study.h"
#include "assay/law/plan/planner.h"

namespace assay::cli {

/// What a plan is told with.
struct PlanView {
  const SweepRequest& request;
  const SweepPlan& plan;
  double correlation = 0;           // of the noise of two objectives that are compared
  std::string guess_source;         // "guessed", or the file
  std::optional<StudyShape> shape;  // of the study that is written
};

std::string_view kind_name(SweepKind kind);
std::string plan_text(const PlanView& view);
nlohmann::json plan_json(const PlanView& view);

}  // namespace assay::cli
