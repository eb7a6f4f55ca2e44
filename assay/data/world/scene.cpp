// The default joint table of the factors, and drawing a scene from a table.
#include "assay/data/world/scene.h"

#include "assay/noise/noise.h"

namespace assay::world {

JointTable default_table(double coupling) {
  std::vector<int> cardinalities;
  for (const FactorSpec& spec : factor_specs) cardinalities.push_back(spec.cardinality);
  const auto pair = [&](FactorId first, FactorId second) {
    return coupled_pair(first, factor_specs[first].cardinality, second,
                        factor_specs[second].cardinality, coupling);
  };
  return JointTable(std::move(cardinalities),
                    {pair(shape, hue), pair(scale, texture), pair(orientation, light),
                     uniform_single(x, factor_specs[x].cardinality),
                     uniform_single(y, factor_specs[y].cardinality)});
}

Scene draw_scene(const JointTable& table, Seed stream, int64_t index) {
  std::array<float, factor_count> numbers;  // a table has at most one block per factor
  const std::span<float> used(numbers.data(), table.blocks().size());
  uniforms(stream, index, 0, used);
  Scene scene;
  table.sample(used, scene.values);
  return scene;
}

}  // namespace assay::world
