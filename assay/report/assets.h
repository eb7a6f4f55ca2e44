// What the page carries besides its content, embedded when Assay is built (assets.cmake).
#pragma once

#include <string_view>

namespace assay::report {

std::string_view style_sheet();    // assets/report.css
std::string_view chart_script();   // assets/chart.js: from a figure's JSON to a drawing
std::string_view page_script();    // assets/page.js: start, theme, download
std::string_view plotly_packed();  // plotly.min.js of the plotly wheel, gzip in base64

}  // namespace assay::report
