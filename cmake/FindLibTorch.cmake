# LibTorch from the torch wheel of the virtual environment: torch's own TorchConfig demands a CUDA
# toolkit when the wheel has CUDA, and Debian ships an older libtorch that must not be picked up.
find_program(ASSAY_PYTHON NAMES python3 python PATHS ${PROJECT_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH)
if(NOT ASSAY_PYTHON)
  message(FATAL_ERROR "no .venv with torch in ${PROJECT_SOURCE_DIR}: run `make setup`, "
                      "or configure with -DASSAY_PYTHON=… of an environment that has torch, "
                      "or with -DASSAY_TORCH=OFF")
endif()
execute_process(
  COMMAND ${ASSAY_PYTHON} -c
          "import importlib.util, pathlib; p = pathlib.Path(importlib.util.find_spec('torch').origin).parent; print(p); print((p / 'version.py').read_text().split(\"__version__ = '\")[1].split(\"'\")[0])"
  OUTPUT_VARIABLE found RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
if(failed)
  message(FATAL_ERROR "${ASSAY_PYTHON} has no torch: run `make setup`")
endif()
string(REPLACE "\n" ";" found "${found}")
list(GET found 0 TORCH_ROOT)
list(GET found 1 TORCH_VERSION)
if(TORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "torch ${TORCH_VERSION} is too old: Assay needs 2.11 to 2.13 (`make setup`)")
endif()
message(STATUS "LibTorch ${TORCH_VERSION}")

add_library(LibTorch INTERFACE IMPORTED GLOBAL)
target_include_directories(LibTorch SYSTEM INTERFACE ${TORCH_ROOT}/include
                           ${TORCH_ROOT}/include/torch/csrc/api/include)
target_compile_definitions(LibTorch INTERFACE ASSAY_TORCH_VERSION="${TORCH_VERSION}")
foreach(name torch torch_cpu c10)
  target_link_libraries(LibTorch INTERFACE ${TORCH_ROOT}/lib/lib${name}.so)
endforeach()
foreach(name torch_cuda c10_cuda)
  if(EXISTS ${TORCH_ROOT}/lib/lib${name}.so)
    # Nothing in our code names a CUDA symbol, so the linker would drop these without the flag.
    target_link_libraries(LibTorch INTERFACE -Wl,--no-as-needed ${TORCH_ROOT}/lib/lib${name}.so
                                             -Wl,--as-needed)
  endif()
endforeach()
target_link_options(LibTorch INTERFACE -Wl,-rpath,${TORCH_ROOT}/lib)
set(LibTorch_FOUND TRUE)
