# assay_library(core DEPENDS … [TORCH]) builds assay/core/*.cpp (and one level of subfolders) into the
# static library assay_core. Torch libraries share one precompiled header.
function(assay_library name)
  cmake_parse_arguments(ARG "TORCH" "" "DEPENDS;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/assay/${name}/*.cpp
       ${PROJECT_SOURCE_DIR}/assay/${name}/*/*.cpp)
  foreach(pattern IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${pattern})
  endforeach()
  if(NOT sources)
    add_library(assay_${name} INTERFACE)
    target_include_directories(assay_${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(assay_${name} INTERFACE ${ARG_DEPENDS})
    return()
  endif()
  add_library(assay_${name} STATIC ${sources})
  target_include_directories(assay_${name} PUBLIC ${PROJECT_SOURCE_DIR}
                             ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(assay_${name} PUBLIC ${ARG_DEPENDS})
  if(ARG_TORCH)
    assay_torch_target(assay_${name})
  else()
    target_compile_options(assay_${name} PRIVATE -O3)
  endif()
endfunction()

# Links LibTorch and uses the shared precompiled header (assay/tensor/torch.h, built once).
function(assay_torch_target target)
  target_link_libraries(${target} PRIVATE LibTorch)
  target_compile_options(${target} PRIVATE -O1)
  if(TARGET assay_pch AND NOT target STREQUAL assay_pch)
    target_precompile_headers(${target} REUSE_FROM assay_pch)
  endif()
endfunction()
