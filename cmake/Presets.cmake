# Compiles presets/*.toml into assay_objective, so that the worker needs no files beside itself.
file(GLOB presets CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/presets/*.toml)
list(SORT presets)
set(entries "")
foreach(preset IN LISTS presets)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${preset})
  get_filename_component(name ${preset} NAME_WE)
  file(READ ${preset} text)
  string(APPEND entries "      {\"${name}\", R\"toml(${text})toml\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/preset_sources.cpp CONTENT
"// Made by cmake/Presets.cmake from presets/*.toml.
#include \"assay/objective/preset_sources.h\"

namespace assay {

const std::vector<PresetSource>& preset_sources() {
  static const std::vector<PresetSource> sources = {
@entries@  };
  return sources;
}

}  // namespace assay
" @ONLY)
target_sources(assay_objective PRIVATE ${CMAKE_BINARY_DIR}/preset_sources.cpp)
set_source_files_properties(${CMAKE_BINARY_DIR}/preset_sources.cpp PROPERTIES
                            SKIP_PRECOMPILE_HEADERS ON)
