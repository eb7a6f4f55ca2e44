// Puts scene, object, field and caption together.
#include "assay/data/world/world.h"

#include <cmath>

#include "assay/data/world/object.h"

namespace assay::world {
namespace {

constexpr double image_power = 0.25;  // an overall standard deviation of .5

double noise_power(const WorldConfig& config) { return image_power / (1 + config.data_snr); }

}  // namespace

World::World(const WorldConfig& config, Seed seed)
    : config_(config),
      scenes_(seed.child("scene")),
      noise_(seed.child("noise")),
      captions_(seed.child("caption")),
      table_(default_table(config.coupling)),
      gain_(std::sqrt(config.data_snr * noise_power(config) / template_power(table_))),
      field_(config.image_size, (1 - config.white_share) * noise_power(config),
             config.white_share * noise_power(config)) {}

size_t World::image_numbers() const {
  const auto size = static_cast<size_t>(config_.image_size);
  return 3 * size * size;
}

Scene World::scene(int64_t index) const { return draw_scene(table_, scenes_, index); }

void World::image(int64_t index, std::span<float> out, std::vector<float>& scratch) const {
  field_.draw(noise_, index, 3, out, scratch);
  add_object(scene(index), config_.image_size, static_cast<float>(gain_), out);
}

void World::caption(int64_t index, std::span<char> out) const {
  write_caption(config_.caption, scene(index), captions_, index, out);
}

std::vector<float> World::template_image(const Scene& scene) const {
  std::vector<float> out(image_numbers(), 0.0f);
  add_object(scene, config_.image_size, static_cast<float>(gain_), out);
  return out;
}

}  // namespace assay::world
