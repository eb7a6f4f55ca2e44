# assay/core/version.h in the build tree: version and commit, renewed when a commit is made.
find_program(GIT git)
set(ASSAY_BUILD unknown)
if(GIT AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT} -C ${PROJECT_SOURCE_DIR} describe --always --dirty
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(described)
    set(ASSAY_BUILD ${described})
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/version.h.in
               ${CMAKE_BINARY_DIR}/generated/assay/core/version.h @ONLY)
