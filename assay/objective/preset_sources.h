// The files of presets/, compiled in (cmake/Presets.cmake).
#pragma once

#include <string>
#include <vector>

namespace assay {

struct PresetSource {
  std::string name, toml;
};

/// In alphabetical order of names.
const std::vector<PresetSource>& preset_sources();

}  // namespace assay
