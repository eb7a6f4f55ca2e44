// Embeds files with the assembler's .incbin: a string literal of two megabytes costs the compiler
// seconds and the program nothing less.
#include "assay/report/assets.h"

#define ASSAY_EMBED(symbol, path)                                                              \
  __asm__(".pushsection .rodata\n.balign 16\n.global assay_asset_" #symbol                     \
          "\nassay_asset_" #symbol ":\n.incbin \"" path "\"\n.global assay_asset_end_" #symbol \
          "\nassay_asset_end_" #symbol ":\n.byte 0\n.popsection\n");                           \
  extern "C" const char assay_asset_##symbol[];                                                \
  extern "C" const char assay_asset_end_##symbol[]

ASSAY_EMBED(style, ASSAY_ASSET_FOLDER "/report.css");
ASSAY_EMBED(chart, ASSAY_ASSET_FOLDER "/chart.js");
ASSAY_EMBED(page, ASSAY_ASSET_FOLDER "/page.js");
ASSAY_EMBED(plotly, ASSAY_ASSET_PLOTLY);

namespace assay::report {

std::string_view style_sheet() { return {assay_asset_style, assay_asset_end_style}; }
std::string_view chart_script() { return {assay_asset_chart, assay_asset_end_chart}; }
std::string_view page_script() { return {assay_asset_page, assay_asset_end_page}; }
std::string_view plotly_packed() { return {assay_asset_plotly, assay_asset_end_plotly}; }

}  // namespace assay::report
