# Files embedded in the report: style sheet, script, and plotly.js from the plotly wheel (compressed).
file(GLOB plotly_scripts
     ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/plotly/package_data/plotly.min.js)
list(APPEND plotly_scripts "")
list(GET plotly_scripts 0 plotly_script)
set(ASSAY_PLOTLY_JS "${plotly_script}" CACHE FILEPATH "plotly.min.js of the plotly wheel")
if(NOT EXISTS "${ASSAY_PLOTLY_JS}")
  message(FATAL_ERROR "no plotly.min.js: run `make setup` (it installs the plotly wheel), "
                      "or configure with -DASSAY_PLOTLY_JS=…/plotly.min.js")
endif()

set(asset_folder ${CMAKE_BINARY_DIR}/report-assets)
set(plotly_packed ${asset_folder}/plotly.min.js.gz.base64)
add_custom_command(
  OUTPUT ${plotly_packed}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${asset_folder}
  COMMAND sh -c "gzip -9 -n -c '${ASSAY_PLOTLY_JS}' | base64 -w 0 > '${plotly_packed}'"
  DEPENDS ${ASSAY_PLOTLY_JS}
  COMMENT "Packing plotly.js for the report"
  VERBATIM)

set(style ${PROJECT_SOURCE_DIR}/assay/report/assets/report.css)
set(scripts ${PROJECT_SOURCE_DIR}/assay/report/assets/chart.js
            ${PROJECT_SOURCE_DIR}/assay/report/assets/page.js)
set_property(SOURCE ${PROJECT_SOURCE_DIR}/assay/report/assets.cpp
             APPEND PROPERTY OBJECT_DEPENDS ${plotly_packed} ${style} ${scripts})
set_property(SOURCE ${PROJECT_SOURCE_DIR}/assay/report/assets.cpp
             APPEND PROPERTY COMPILE_DEFINITIONS
             ASSAY_ASSET_PLOTLY="${plotly_packed}" ASSAY_ASSET_FOLDER="${PROJECT_SOURCE_DIR}/assay/report/assets")
