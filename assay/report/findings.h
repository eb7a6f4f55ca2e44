// Sentences made from the numbers: titles of figures and the verdict.
#pragma once

#include <string>
#include <vector>

#include "assay/report/report_data.h"

namespace assay::report {

struct Named {
  std::string name{};
  Estimate estimate{};
};

/// Who is highest, if the intervals say so: "mae is highest: 3.1 bit [2.8, 3.4], denoise 1.0 …", or
/// "Cannot tell mae from denoise: …" when the two highest intervals overlap, or what is missing.
std::string ranking_sentence(std::vector<Named> items, const std::string& what,
                             const std::string& unit);

/// "mae 3.1 bit [2.8, 3.4]" or "mae not learned at this budget (.2 bit [−.1, .5])".
std::string gain_words(const Named& item);

/// All of them; of more than eight, the highest, how many more, and the names of those that gain
/// nothing.
std::string gains_sentence(const std::vector<Named>& gains);
/// Of more than eight items the first six and "and N more".
std::vector<std::string> shortened(std::vector<std::string> items);

/// Query of the headline gain: bits over random init for all factors, best read-out available.
Query gain_query(const ReportData& data, const std::string& readout);
/// attentive if it was measured, else the first; "" = no probe.
std::string main_readout(const ReportData& data);

/// Values of a query at the end of the budget for all arms of a size.
std::vector<Named> values_at_end(const ReportData& data, std::pair<int64_t, int64_t> size,
                                 const Query& query);

/// A statement that the study can speak for or against.
struct Claim {
  std::string text{};
  std::vector<std::string> in_favour{}, against{}, open{};
};

struct Verdict {
  std::string question{};
  std::vector<std::string> sentences{};
  std::vector<Claim> claims{};
};
Verdict verdict(const ReportData& data);

}  // namespace assay::report
