// A scene of the World: one object and the values of its factors.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "assay/core/seed.h"
#include "assay/data/world/joint_table.h"

namespace assay::world {

enum FactorId { shape, hue, x, y, scale, orientation, texture, light, factor_count };

struct FactorSpec {
  std::string_view name;
  int cardinality;
  std::string_view kind;  // content | position
};

/// 23 bits when independent. orientation: its 8 values divide the period of the shape's own
/// symmetry (square 90°, triangle 120°, ellipse 180°, crescent 360°), so that each of them looks
/// different.
inline constexpr std::array<FactorSpec, factor_count> factor_specs{{
    {"shape", 4, "content"},
    {"hue", 8, "content"},
    {"x", 16, "position"},
    {"y", 16, "position"},
    {"scale", 4, "content"},
    {"orientation", 8, "content"},
    {"texture", 4, "content"},
    {"light", 8, "content"},
}};

/// values[f] in [0, cardinality of f).
struct Scene {
  std::array<int, factor_count> values{};

  int operator[](FactorId factor) const { return values[factor]; }
  bool operator==(const Scene&) const = default;
};

/// shape–hue, texture–scale and orientation–light coupled by `coupled_pair`, x and y alone; every
/// marginal uniform. coupling in [0, 1); 0 is the twin in which nothing can be inferred.
JointTable default_table(double coupling);

/// The scene of example `index`: a function of (stream, index) alone.
Scene draw_scene(const JointTable& table, Seed stream, int64_t index);

}  // namespace assay::world
