// weight release: high spatial frequencies are withheld for good, for a while, or not at all.
#include <fmt/format.h>

#include <algorithm>

#include "assay/objective/registry.h"

namespace assay {

namespace {

class Release : public Weight {
 public:
  Release(std::string when, int withheld_from, double from, double to)
      : when_(std::move(when)), withheld_from_(withheld_from), from_(from), to_(to) {}

  std::vector<double> weights(const std::vector<Cell>& cells, double progress) const override {
    std::vector<double> out;
    for (const Cell& cell : cells) out.push_back(cell.band < withheld_from_ ? 1 : high(progress));
    return out;
  }

 private:
  double high(double progress) const {
    if (when_ == "never") return 0;
    if (when_ == "at_once") return 1;
    return std::clamp((progress - from_) / (to_ - from_), 0.0, 1.0);
  }

  std::string when_;
  int withheld_from_;  // bands below this index always count
  double from_, to_;
};

std::shared_ptr<Weight> make(const Options& options, const Setting& setting) {
  const int64_t side =
      setting.target.tokens == Tokens::all ? setting.data.image_size : setting.model.patch;
  const int64_t bands = setting.target.pixels ? BandSpectrum(side, setting.bands).count() : 1;
  const int64_t withheld = options.integer("withheld");
  if (withheld >= bands)
    throw options.error("withheld", "config.bands",
                        fmt::format("`withheld` {} leaves none of {} bands", withheld, bands),
                        "lower it, raise `bands` of the objective, or choose a target of pixels");
  const double from = options.real("from"), to = options.real("to");
  if (from >= to)
    throw options.error("from", "config.range",
                        fmt::format("`from` {} is not below `to` {}", from, to),
                        "both are fractions of the run");
  return std::make_shared<Release>(options.text("when"), static_cast<int>(bands - withheld), from,
                                   to);
}

}  // namespace

PartEntry<Weight> weight_release() {
  using namespace declare;
  PartEntry<Weight> entry;
  entry.info = {
      "weight",
      "release",
      "the highest bands count for nothing until they are released: the minimal pairs of permanent "
      "suppression",
      "w_b = 1 for low bands; high ones: never 0, at_once 1, annealed clip((τ - from)/(to - from), "
      "0, 1)",
      "candidate P2 (annealed suppression with release); compare FastDINOv2, arXiv 2507.03779",
      {choice("when", "annealed", {"never", "annealed", "at_once"}, "when high bands are released"),
       integer("withheld", 2, closed(1, 5), "how many of the highest bands"),
       real("from", 0.25, closed(0, 1), "progress at which the release begins"),
       real("to", 0.75, closed(0, 1), "progress at which it is complete")}};
  entry.make = make;
  return entry;
}

}  // namespace assay
