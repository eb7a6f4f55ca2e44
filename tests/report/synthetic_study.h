// A study folder with planted numbers: 3 objectives × 2 widths × 2 seeds, of which one trial
// diverged, one failed and one was never started.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/core/hash.h"
#include "assay/core/records.h"

namespace assay::synthetic {

namespace fs = std::filesystem;
using Json = nlohmann::json;

inline const std::vector<std::string> kObjectives = {"token", "mae", "denoise"};
inline const std::vector<int> kWidths = {64, 128};
inline const std::vector<int> kSeeds = {0, 1};
inline const std::vector<double> kFractions = {0, .01, .04, .16, .4, 1};
inline constexpr double kBudget = 2e12;

struct Key {
  std::string objective;
  int width = 64, seed = 0;
};

inline std::string trial_id(const Key& key) {
  return hash_text(fmt::format("{} {} {}", key.objective, key.width, key.seed));
}

/// Uniform in (−1, 1), fixed by its key.
inline double jitter(const Key& key, const std::string& what) {
  const uint64_t bits =
      hash64(fmt::format("{} {} {} {}", key.objective, key.width, key.seed, what));
  return 2 * (static_cast<double>(bits >> 11) / 9007199254740992.0) - 1;
}

inline std::string planted_status(const Key& key) {
  if (key.objective == "denoise" && key.width == 128 && key.seed == 1) return "diverged";
  if (key.objective == "mae" && key.width == 64 && key.seed == 1) return "failed";
  if (key.objective == "token" && key.width == 64 && key.seed == 1) return "missing";
  return "completed";
}

/// The fraction of the budget that a trial reached.
inline double planted_end(const Key& key) {
  const std::string status = planted_status(key);
  return status == "completed" ? 1 : status == "diverged" ? .16 : status == "failed" ? .04 : -1;
}

/// Bits that a probe reads. One factor's share of all is its rank's.
inline double planted_bits(const Key& key, double fraction, const std::string& readout,
                           const std::string& factor, const std::string& features) {
  const double scale = factor == "all"        ? 1
                       : factor == "content"  ? .6
                       : factor == "position" ? .4
                                              : .12 + .02 * double(factor.size());
  const double base = readout == "attentive" ? 6.5 : 3.5;
  if (features == "raw_input") return scale * (base - 1.5);
  const double init = base + .05 * jitter(key, readout + "init");
  if (features == "random_init" || fraction == 0) return scale * init;
  const double rate = key.objective == "token" ? 4.2 : key.objective == "mae" ? 2.2 : .02;
  const double gain = rate * std::pow(fraction, .35) * (key.width == 128 ? 1.2 : 1);
  return scale * (init + gain + .08 * jitter(key, fmt::format("{}{}", readout, fraction)));
}

inline double planted_rate(const Key& key, double fraction, const std::string& factor) {
  return (1 + .1 * jitter(key, "rate" + factor)) * (key.objective == "token" ? 3 : -.4) *
         (1.1 - fraction);
}

/// Of the term `main`; by level only where an objective has levels.
inline double planted_target_snr(const Key& key, double fraction, int level = -1) {
  const double end = key.objective == "token" ? 1.4 : key.objective == "mae" ? .6 : .2;
  return (end * std::sqrt(fraction) - .1) * (level < 0 ? 1 : 2. / (1 + level)) *
         (1 + .05 * jitter(key, fmt::format("demand{}", fraction)));
}

inline double planted_alignment(int level) { return .9 - .2 * level; }

inline double planted_snr(const Key& key, double fraction, const std::string& weights) {
  const double start = key.objective == "token" ? .3 : key.objective == "mae" ? .12 : .03;
  const double floor = weights == "live" ? .02 : -.0004;
  return (start * std::exp(-9 * std::sqrt(fraction)) + floor) *
             (1 + .15 * jitter(key, fmt::format("snr{}{}", fraction, weights))) +
         (key.objective == "token" && weights == "averaged" ? .002 : 0);
}

inline double planted_loss(const Key& key, double fraction) {
  const double start = key.objective == "token" ? 5.5 : 1;
  const double end = key.objective == "token" ? 1.9 : .35;
  return end + (start - end) * std::exp(-6 * std::sqrt(fraction)) - (key.width == 128 ? .03 : 0) +
         .01 * jitter(key, fmt::format("loss{}", fraction));
}

/// Writes measurements of one trial at one checkpoint.
class Checkpoint {
 public:
  Checkpoint(std::ofstream& out, const Key& key, double fraction)
      : out_(out), key_(key), fraction_(fraction) {}

  void write() {
    probes();
    for (const char* weights : {"averaged", "live"}) noise(weights);
    resolved();
    demand();
    drive();
    const std::string unit = key_.objective == "token" ? "nat" : "squared error";
    const double loss = planted_loss(key_, fraction_);
    add("heldout_loss", "loss_per_target", unit, {{"weights", "averaged"}, {"term", "main"}}, loss,
        .01, 512);
    add("heldout_loss", "loss_per_target", unit,
        {{"weights", "averaged"}, {"term", "main"}, {"level", "0"}}, loss / 2, .01, 512);
  }

 private:
  using Labels = std::map<std::string, std::string>;

  void add(const std::string& meter, const std::string& quantity, const std::string& unit,
           const Labels& labels, double value, double half, int64_t n,
           const std::string& note = "") {
    Measurement m{.meter = meter,
                  .quantity = quantity,
                  .unit = unit,
                  .step = static_cast<int64_t>(std::lround(1500 * fraction_)),
                  .fraction = fraction_,
                  .flops = fraction_ * kBudget,
                  .labels = labels,
                  .value = value,
                  .low = {},
                  .high = {},
                  .n = n,
                  .method = "planted",
                  .note = note};
    if (std::isfinite(value)) {
      m.low = value - half;
      m.high = value + half;
    }
    out_ << to_json(m).dump() << '\n';
  }

  void probes() {
    for (const char* readout : {"linear", "attentive"})
      for (const char* factor : {"all", "content", "position", "shape", "hue", "x", "y", "scale"}) {
        const auto bits = [&](const char* features) {
          return planted_bits(key_, fraction_, readout, factor, features);
        };
        for (const char* features : {"trained", "random_init", "raw_input"}) {
          const Labels labels{{"factor", factor}, {"readout", readout}, {"features", features}};
          add("probe", "bits", "bit", labels, bits(features), .15, 4096);
          add("probe", "accuracy", "1", labels, .3, .02, 4096);
        }
        const Labels gain{{"factor", factor}, {"readout", readout}, {"features", "gain"}};
        add("probe", "bits_gain", "bit", gain, bits("trained") - bits("random_init"), .2, 4096);
      }
  }

  void noise(const std::string& weights) {
    const double snr = planted_snr(key_, fraction_, weights);
    const double share = key_.objective == "token" ? 0 : key_.objective == "mae" ? .35 : .8;
    for (const char* group : {"trunk", "layer.0", "layer.1", "layer.2", "layer.3", "head"}) {
      const Labels labels{{"group", group}, {"metric", "euclidean"}, {"weights", weights}};
      const double here = snr * (group[0] == 'l' ? .7 + .15 * (group[6] - '0') : 1);
      const double half = .2 * std::fabs(here) + .0008;
      add("objective_snr", "snr_per_example", "1", labels, here, half, 1024);
      add("objective_snr", "snr_per_gflop", "1/GFLOP", labels, here / .02, half / .02, 1024);
      add("objective_snr", "signal", "1", labels, here * 3, half * 3, 1024);
      add("objective_snr", "total_variance", "1", labels, 3, .1, 1024);
      add("objective_snr", "data_variance", "1", labels, 3 * (1 - share), .1, 1024);
      add("objective_snr", "objective_variance", "1", labels, 3 * share, share > 0 ? .1 : 0, 1024);
      add("objective_snr", "objective_share", "1", labels,
          share + (share > 0 ? .02 * jitter(key_, weights) : 0), share > 0 ? .04 : 0, 1024);
      add("objective_snr", "effective_dimension", "1", labels, key_.objective == "mae" ? 6 : 900,
          50, 1024);
    }
  }

  void alignments() {
    const Labels common{{"group", "trunk"}, {"metric", "euclidean"}, {"weights", "averaged"}};
    for (int level = 0; level < 8 && key_.objective == "denoise"; ++level) {
      Labels labels = common;
      labels["level"] = std::to_string(level);
      labels["with"] = level == 7 ? "0" : "whole";  // two levels with each other are not drawn
      add("objective_snr", "alignment", "1", labels, planted_alignment(level), .01, 128);
      labels.erase("with");
      labels["group"] = "layer.1";
      add("objective_snr", "snr_per_example", "1", labels, .01 * level, .015, 128);
    }
    if (key_.objective == "mae") {
      Labels labels = common;
      labels["band"] = "octave 0";
      labels["with"] = "whole";
      add("objective_snr", "alignment", "1", labels, -.25, .01, 128);
    }
  }

  void metrics() {
    Labels labels{{"group", "trunk"}, {"weights", "averaged"}, {"metric", "euclidean"}};
    if (key_.objective == "denoise")
      add("objective_snr", "level_share", "1", labels, .6, .05, 1024);
    if (key_.objective != "mae") return;
    labels["with"] = "denoise";
    add("objective_snr", "snr_difference", "1", labels, -.004, .001, 1024);
    labels.erase("with");
    for (const char* metric : {"adam", "function"}) {
      labels["metric"] = metric;
      add("objective_snr", "snr_per_example", "1", labels, metric[0] == 'a' ? .25 : .5, .01, 1024);
    }
  }

  void resolved() {
    if (key_.objective == "token") return;
    alignments();
    metrics();
    const double snr = planted_snr(key_, fraction_, "averaged");
    for (int level = 0; level < 8 && key_.objective == "denoise"; ++level)
      add("objective_snr", "snr_per_example", "1",
          {{"group", "trunk"},
           {"metric", "euclidean"},
           {"weights", "averaged"},
           {"level", std::to_string(level)}},
          snr + .001 * level * level / 8, .0012, 128, "");
    for (int band = 0; band < 4; ++band)
      add("objective_snr", "snr_per_example", "1",
          {{"group", "trunk"},
           {"metric", "euclidean"},
           {"weights", "averaged"},
           {"band", fmt::format("octave {}", band)}},
          band == 3 ? NAN : snr + .02 / (1 + band * band), .003, 1024,
          band == 3 ? "no target falls in this band" : "");
  }

  void demand() {
    const Labels term{{"term", "main"}, {"weights", "averaged"}};
    const double snr = planted_target_snr(key_, fraction_);
    add("demand", "target_snr", "1", term, snr, .01, 1024);
    add("demand", "null_loss", key_.objective == "token" ? "nat" : "squared error", term, 2, .01,
        1024);
    if (key_.objective == "token") add("demand", "bits_gained", "bit", term, snr, .01, 1024);
    for (int level = 0; level < 8 && key_.objective == "denoise"; ++level) {
      Labels of_level = term;
      of_level["level"] = std::to_string(level);
      add("demand", "target_snr", "1", of_level, planted_target_snr(key_, fraction_, level), .02,
          128);
    }
    if (key_.objective == "mae")
      add("demand", "target_snr", "1", {{"term", "penalty"}, {"weights", "averaged"}}, NAN, 0, 1024,
          "a regulariser has no target");
    for (const char* group : {"trunk", "head"}) {
      const Labels labels{{"group", group}, {"metric", "euclidean"}, {"weights", "averaged"}};
      add("demand", "conditional_share", "1", labels, group[0] == 't' ? .7 : .2, .05, 256);
      add("demand", "conditional_signal", "squared gradient", labels, .01, .002, 256);
    }
  }

  // At every fraction, so that curves have the same marks as all others; at the last one a trial
  // has no branches.
  void drive() {
    for (const char* factor : {"all", "content", "position", "shape", "hue"}) {
      const double rate = planted_rate(key_, fraction_, factor);
      const Labels labels{{"factor", factor}, {"weights", "averaged"}};
      const auto with = [&](const char* key, const char* value) {
        Labels own = labels;
        own[key] = value;
        return own;
      };
      add("drive", "gain_bits", "bit", labels, rate / 10, .002, 4);
      add("drive", "useful_rate", "bit/GFLOP", labels, rate, .02, 4);
      add("drive", "useful_snr", "1", labels, 2, 1, 4);
      add("drive", "null_gain_bits", "bit", with("null", "random direction"), -.5, .1, 4);
      add("drive", "attribution_bits", "bit", with("part", "main"), rate / 20, .002, 4);
      // Branches of another objective must not be mixed with the trial's own.
      add("drive", "useful_rate", "bit/GFLOP", with("objective", "other"), 1000, 1, 4);
    }
  }

  std::ofstream& out_;
  const Key& key_;
  double fraction_;
};

inline Json config_of(const Key& key, const std::string& suffix) {
  const bool text = key.objective == "token";
  return {{"format", 1},
          {"name", fmt::format("{}-w{}-s{}", key.objective, key.width, key.seed)},
          {"objective", {{"name", key.objective + suffix}, {"preset", key.objective}}},
          {"data", {{"name", text ? "captions" : "images"}, {"kind", "world"}}},
          {"model", {{"width", key.width}, {"depth", 4}}},
          {"train", {{"seed", key.seed}, {"learning_rate", 1e-3}}},
          {"measure", {{"probe", true}}}};
}

inline void write_json(const fs::path& path, const Json& json) {
  std::ofstream(path) << json.dump(1) << '\n';
}

inline void write_trial(const fs::path& folder, const Key& key, const Json& config) {
  const double end = planted_end(key);
  if (end < 0) return;
  fs::create_directories(folder);
  write_json(folder / "config.json", config);
  write_json(folder / "environment.json",
             {{"build", "0123abcd"},
              {"threads", 1},
              {"data_hash", config["data"]["name"] == "images" ? "a1" : "b2"}});
  std::ofstream records(folder / "records.jsonl");
  for (const double fraction : kFractions) {
    if (fraction > end) break;
    records << Json{{"kind", "step"},
                    {"step", std::lround(1500 * fraction)},
                    {"loss", planted_loss(key, fraction)},
                    {"learning_rate", 1e-3},
                    {"flops", fraction * kBudget}}
                   .dump()
            << '\n';
    Checkpoint(records, key, fraction).write();
  }
  records << Json{{"kind", "note"}, {"text", "data: 3 entries were skipped (not an image)"}}.dump()
          << '\n';
  records << to_json(Ledger{.step = std::lround(1500 * end),
                            .training_flops = end * kBudget,
                            .measuring_flops = .2 * end * kBudget,
                            .examples = std::lround(96000 * end),
                            .unique_examples = std::lround(90000 * end),
                            .tokens = std::lround(6e6 * end)})
                 .dump()
          << '\n';
  std::ofstream(folder / "timing.jsonl") << Json{{"kind", "timing"},
                                                 {"step", 1500},
                                                 {"seconds", 120.5 * end},
                                                 {"steps_per_second", 12}}
                                                .dump()
                                         << '\n';
  const std::string status = planted_status(key);
  write_json(folder / "outcome.json", {{"status", status},
                                       {"reason", status == "diverged" ? "loss is NaN at step 241"
                                                  : status == "failed" ? "out of memory"
                                                                       : ""},
                                       {"step", std::lround(1500 * end)}});
}

/// suffix: added to the names of study and objectives, to test escaping. start: false = no trial
/// has begun.
inline void write_study(const fs::path& folder, const std::string& suffix = "", bool start = true) {
  fs::create_directories(folder / "trials");
  Json trials = Json::array();
  for (const std::string& objective : kObjectives)
    for (const int width : kWidths)
      for (const int seed : kSeeds) {
        const Key key{objective, width, seed};
        const Json config = config_of(key, suffix);
        trials.push_back({{"id", trial_id(key)},
                          {"name", config["name"]},
                          {"config", config},
                          {"steps", 1500},
                          {"flops", kBudget},
                          {"parameters", 50000.0 * width / 64}});
        if (start) write_trial(folder / "trials" / trial_id(key), key, config);
      }
  write_json(folder / "study.json",
             {{"format", 1},
              {"name", "synthetic" + suffix},
              {"question", "Which objective offers more signal per FLOP?" + suffix},
              {"base", "/nowhere"},
              {"trials", trials},
              {"warnings", Json::array()}});
  std::ofstream(folder / "study.toml")
      << "[study]\nname = \"synthetic\"\n# planted numbers " << suffix << "\n";
}

}  // namespace assay::synthetic
