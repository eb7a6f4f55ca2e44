// target label: a label of the example, as it is, narrowed to a few classes, or coarsened.
#include "assay/objective/target/label_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "assay/objective/registry.h"

namespace assay {

namespace {

class Label : public Target {
 public:
  Label(int64_t column, std::vector<int64_t> classes)
      : column_(column), count_(1 + *std::max_element(classes.begin(), classes.end())) {
    map_ = at::tensor(classes, at::kLong);
  }

  TargetInfo info() const override {
    TargetInfo info{count_, Tokens::pooled, "class"};
    info.classes = {count_};
    return info;
  }
  // [B, 1]; -1 = unknown, which carries no loss.
  Tensor values(const View& view) override {
    const Tensor label = view.batch.labels.select(1, column_).to(at::kCPU);
    return at::where(label < 0, label, map_.index_select(0, label.clamp_min(0))).unsqueeze(1);
  }

 private:
  int64_t column_, count_;
  Tensor map_;  // [cardinality]
};

size_t factor_of(const Options& options, const Setting& setting) {
  const std::vector<Factor>& factors = setting.data.factors;
  std::vector<std::string> names;
  for (const Factor& factor : factors) names.push_back(factor.name);
  if (names.empty())
    throw options.error("factor", "config.labels",
                        fmt::format("[{}] needs labels, and the data has none", options.where()),
                        "choose a dataset with labels, or another objective");
  if (options.text("factor").empty()) return 0;
  const auto found = std::find(names.begin(), names.end(), options.text("factor"));
  if (found == names.end())
    throw options.error("factor", "config.choice",
                        fmt::format("the data has no factor \"{}\"", options.text("factor")),
                        suggest(options.text("factor"), names));
  return static_cast<size_t>(found - names.begin());
}

std::shared_ptr<Target> make(const Options& options, const Setting& setting) {
  const size_t column = factor_of(options, setting);
  const Factor& factor = setting.data.factors[column];
  if (factor.cardinality < 2)
    throw options.error(
        "factor", "config.labels",
        fmt::format("the number of classes of `{}` is not known before the data is read",
                    factor.name),
        "give it in the study: [data.NAME] classes = 200");
  const int64_t kept = options.integer("kept");
  if (options.text("classes") != "all" && kept >= factor.cardinality - 1)
    throw options.error("kept", "config.range",
                        fmt::format("`kept` {} leaves fewer than two of {} classes outside", kept,
                                    factor.cardinality),
                        "lower `kept`, or set classes = \"all\"");
  const std::string& classes = options.text("classes");
  return std::make_shared<Label>(
      static_cast<int64_t>(column),
      classes == "all"      ? all_classes(factor.cardinality)
      : classes == "narrow" ? narrow_classes(factor.cardinality, kept)
                            : coarse_classes(factor.cardinality, class_entropy(narrow_classes(
                                                                     factor.cardinality, kept))));
}

}  // namespace

PartEntry<Target> target_label() {
  using namespace declare;
  PartEntry<Target> entry;
  entry.info = {
      "target",
      "label",
      "a label: all its classes; `kept` of them with one class \"other\" for the rest (narrow); or "
      "groups of all classes with the entropy of the narrow labels (coarse)",
      "y = map(label);  narrow: y = c for c < kept, else kept;  coarse: groups by a fixed "
      "permutation, "
      "sizes such that |H(coarse) - H(narrow)| is least for uniform classes",
      "",
      {text("factor", "", "name of the label; \"\" = the first of the data"),
       choice("classes", "all", {"all", "narrow", "coarse"}, "how labels are mapped to classes"),
       integer("kept", 2, at_least(1), "classes that narrow labels keep apart")}};
  entry.make = make;
  return entry;
}

}  // namespace assay
