// The verdict: what the data say about the study's question, and about the claims behind Assay.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/report/figures/law_views.h"
#include "assay/report/findings.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

using Size = std::pair<int64_t, int64_t>;

const Query kSnr{"objective_snr", "snr_per_example"};

std::string outcome_sentence(const ReportData& data, Size size) {
  const std::string readout = main_readout(data);
  if (readout.empty()) return "Nothing was probed, so nothing can be said about what was learned.";
  const std::vector<Named> gains = values_at_end(data, size, gain_query(data, readout));
  std::vector<Named> known;
  for (const Named& gain : gains)
    if (gain.estimate.known()) known.push_back(gain);
  std::string out = fmt::format("Over the same seed's random init ({} read-out, {}): {}.", readout,
                                data.size_text(size), gains_sentence(gains));
  if (known.size() < 2) return out;
  std::stable_sort(known.begin(), known.end(), [](const Named& a, const Named& b) {
    return a.estimate.value > b.estimate.value;
  });
  // The best that can be told from zero, against all others: a wide interval may reach above it.
  const auto best = std::ranges::find_if(known, [](const Named& g) { return g.estimate.above(0); });
  if (best == known.end()) return out;
  const auto rival = std::ranges::find_if(known, [&](const Named& other) {
    return other.name != best->name && !separated(best->estimate, other.estimate);
  });
  return out + (rival == known.end()
                    ? fmt::format(" {} gains most.", capitalised(best->name))
                    : fmt::format(" Which of {} and {} gains more, these data cannot tell.",
                                  best->name, rival->name));
}

std::string share_sentence(const ReportData& data, Size size) {
  std::vector<std::string> words;
  for (const Named& share : values_at_end(data, size, {"objective_snr", "objective_share"})) {
    const Estimate& e = share.estimate;
    if (!e.known()) continue;
    words.push_back(e.bounded() ? fmt::format("{} {} [{}, {}]", share.name, percent_text(e.value),
                                              percent_text(*e.low), percent_text(*e.high))
                                : fmt::format("{} {}", share.name, percent_text(e.value)));
  }
  if (words.empty()) return "";
  return fmt::format(
      "Of the gradient's variance, the objective's own draws (masks, noise) make: {}.",
      join(shortened(words), "; "));
}

/// What ten times the data take off the deficit, steepest first; then what no scale takes off.
std::string law_sentence(const ReportData& data) {
  const OutcomeLaws* of = main_law(data);
  if (!of) return "";
  std::vector<std::pair<double, std::string>> falls;
  for (size_t i = 0; i < of->laws.size(); ++i) {
    if (!of->slopes[i]) continue;
    const assay::Estimate& slope = of->slopes[i]->data;
    const auto fall = [](double exponent) { return percent_text(1 - std::pow(10, -exponent)); };
    falls.emplace_back(
        -slope.value, fmt::format("{} of that of {} [{}, {}]", fall(slope.value), of->laws[i].group,
                                  fall(slope.low), fall(slope.high)));
  }
  std::sort(falls.begin(), falls.end());
  std::vector<std::string> words;
  for (const auto& [order, text] : falls) words.push_back(text);
  std::string out;
  if (!words.empty())
    out = fmt::format("Within the trained range, ten times the data take off the {}: {}. ",
                      outcome_words(*of), join(shortened(words), "; "));
  return out + floor_sentence(*of) + ".";
}

std::string budget_sentence(const ReportData& data) {
  if (std::ranges::all_of(data.arms, &Arm::largest_budget)) return "";
  return "Everything else here is of the largest budget of each objective; smaller ones enter the "
         "laws alone.";
}

std::string status_sentence(const ReportData& data) {
  const size_t all = data.study.trials.size(), completed = data.trials_with("completed");
  if (completed == all) return "";
  std::vector<std::string> words;
  for (const char* status : {"diverged", "failed", "timed_out", "unfinished", "missing"}) {
    const size_t count = data.trials_with(status);
    const std::string word = std::string(status) == "timed_out" ? "timed out" : status;
    if (count > 0) words.push_back(fmt::format("{} {}", count, word));
  }
  return fmt::format(
      "Only {} of {} trials completed ({}); read everything below with that in mind.", completed,
      all, join(words, ", "));
}

/// For each objective, does it teach anything at this budget?
Claim learning_claim(const ReportData& data, Size size) {
  Claim claim{.text = "Each objective teaches the trunk something beyond its random init."};
  for (const std::string& readout : label_values(data, "probe", "bits_gain", "readout"))
    for (const Named& gain : values_at_end(data, size, gain_query(data, readout))) {
      const std::string words = fmt::format("{} ({} read-out)", gain_words(gain), readout);
      if (gain.estimate.above(0)) {
        claim.in_favour.push_back(words);
      } else if (gain.estimate.below(0)) {
        claim.against.push_back(words);
      } else {
        claim.open.push_back(words);
      }
    }
  return claim;
}

/// Pairs of objectives in which both SNR and gain are resolved.
Claim snr_claim(const ReportData& data, Size size) {
  Claim claim{.text = "Between two objectives, the one with the higher objective SNR learns more."};
  const std::vector<Named> snr = values_at_end(data, size, kSnr);
  const std::vector<Named> gain = values_at_end(data, size, gain_query(data, main_readout(data)));
  for (size_t i = 0; i < snr.size(); ++i)
    for (size_t j = i + 1; j < snr.size(); ++j) {
      const std::string pair = fmt::format("{} and {}", snr[i].name, snr[j].name);
      const bool snr_resolved = separated(snr[i].estimate, snr[j].estimate);
      const bool gain_resolved = separated(gain[i].estimate, gain[j].estimate);
      if (!snr_resolved || !gain_resolved) {
        claim.open.push_back(fmt::format("{}: {} resolved", pair,
                                         snr_resolved    ? "gains are not"
                                         : gain_resolved ? "SNRs are not"
                                                         : "neither SNR nor gain is"));
        continue;
      }
      const bool agree = (snr[i].estimate.value > snr[j].estimate.value) ==
                         (gain[i].estimate.value > gain[j].estimate.value);
      const Named& higher = snr[i].estimate.value > snr[j].estimate.value ? snr[i] : snr[j];
      (agree ? claim.in_favour : claim.against)
          .push_back(fmt::format("{}: {} has the higher SNR and gains {}", pair, higher.name,
                                 agree ? "more" : "less"));
    }
  return claim;
}

std::string preset_of(const ReportData& data, const std::string& label) {
  for (const Arm& arm : data.arms)
    if (arm.label() == label) return arm.trials.front()->preset;
  return "";
}

/// Plain token prediction on text against everything else.
Claim token_claim(const ReportData& data, Size size) {
  Claim claim{.text = "Token prediction has a higher objective SNR than the other objectives."};
  const std::vector<Named> snr = values_at_end(data, size, kSnr);
  for (const Named& token : snr) {
    if (preset_of(data, token.name) != "token") continue;
    for (const Named& other : snr) {
      if (preset_of(data, other.name) == "token") continue;
      const std::string words =
          fmt::format("{} {}, {} {}", token.name, estimate_text(token.estimate), other.name,
                      estimate_text(other.estimate));
      if (!separated(token.estimate, other.estimate)) {
        claim.open.push_back(words);
      } else if (token.estimate.value > other.estimate.value) {
        claim.in_favour.push_back(words);
      } else {
        claim.against.push_back(words);
      }
    }
  }
  return claim;
}

bool says_anything(const Claim& claim) {
  return !claim.in_favour.empty() || !claim.against.empty() || !claim.open.empty();
}

}  // namespace

Verdict verdict(const ReportData& data) {
  Verdict out{.question = data.study.question};
  const std::string status = status_sentence(data);
  if (!status.empty()) out.sentences.push_back(status);
  const bool measured =
      std::any_of(data.study.trials.begin(), data.study.trials.end(),
                  [](const Trial& t) { return t.counts() && !t.measurements.empty(); });
  if (!measured) {
    out.sentences.push_back(
        "No trial has measurements that count yet, so there is no answer to the question.");
    return out;
  }
  for (const std::string& sentence : {law_sentence(data), budget_sentence(data)})
    if (!sentence.empty()) out.sentences.push_back(sentence);
  const Size size = data.sizes.back();
  out.sentences.push_back(outcome_sentence(data, size));
  const std::vector<Named> snr = values_at_end(data, size, kSnr);
  out.sentences.push_back(
      fmt::format("{}.", ranking_sentence(snr,
                                          "Objective SNR per example (trunk, averaged weights, "
                                          "end of the budget)",
                                          "")));
  const std::string share = share_sentence(data, size);
  if (!share.empty()) out.sentences.push_back(share);
  for (Claim& claim : std::vector<Claim>{learning_claim(data, size), snr_claim(data, size),
                                         token_claim(data, size)})
    if (says_anything(claim)) out.claims.push_back(std::move(claim));
  return out;
}

}  // namespace assay::report
