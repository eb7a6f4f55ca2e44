// The HTML page around the content.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "assay/report/figures/figure.h"
#include "assay/report/findings.h"

namespace assay::report {

/// Everything the page shows, computed once; JSON and HTML are two spellings of it.
struct Content {
  Verdict verdict{};
  std::vector<Figure> figures{};
  Table card{}, trials{}, cost{}, factors{}, variance{}, layers{}, noise_differences{}, demand{},
      drive{}, laws{}, law_differences{}, environment{}, seeds{};
  std::vector<std::string> commands{}, limits{};
};
Content make_content(const ReportData& data);

nlohmann::json to_json(const ReportData& data, const Content& content);
std::string page(const ReportData& data, const Content& content);

}  // namespace assay::report
