// law uniform: all noise shares of an interval alike.
#include <fmt/format.h>

#include "assay/objective/registry.h"

namespace assay {

namespace {

class Uniform : public LevelLaw {
 public:
  Uniform(double low, double high) : low_(low), high_(high) {}
  Tensor quantile(const Tensor& uniform) const override { return uniform * (high_ - low_) + low_; }

 private:
  double low_, high_;
};

}  // namespace

PartEntry<LevelLaw> law_uniform() {
  using namespace declare;
  PartEntry<LevelLaw> entry;
  entry.info = {"law",
                "uniform",
                "noise shares uniform on an interval",
                "s = low + (high - low)·u",
                "Lipman et al. 2023, arXiv 2210.02747",
                {real("low", 0, closed(0, 1), "smallest noise share"),
                 real("high", 1, closed(0, 1), "largest noise share")}};
  entry.make = [](const Options& options, const Setting&) {
    if (options.real("low") >= options.real("high"))
      throw options.error(
          "low", "config.range",
          fmt::format("`low` {} is not below `high` {}", options.real("low"), options.real("high")),
          "the interval of noise shares must have a length");
    return std::make_shared<Uniform>(options.real("low"), options.real("high"));
  };
  return entry;
}

}  // namespace assay
