// weight constant: the same weight for every cell.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Constant : public Weight {
 public:
  explicit Constant(double value) : value_(value) {}
  std::vector<double> weights(const std::vector<Cell>& cells, double) const override {
    return std::vector<double>(cells.size(), value_);
  }

 private:
  double value_;
};

}  // namespace

PartEntry<Weight> weight_constant() {
  PartEntry<Weight> entry;
  entry.info = {"weight",
                "constant",
                "one weight for all cells, during the whole run",
                "w_c = value",
                "",
                {declare::real("value", 1.0, declare::above(0), "weight of the term")}};
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<Constant>(options.real("value"));
  };
  return entry;
}

}  // namespace assay
