// write_synthetic_report DIR [SUFFIX]: the synthetic study in DIR and its report in
// DIR/report.html, for the browser tests.
#include <cstdio>
#include <exception>

#include "assay/report/report.h"
#include "assay/store/files.h"
#include "report/synthetic_study.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: write_synthetic_report DIR [SUFFIX]\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    assay::synthetic::write_study(folder, argc > 2 ? argv[2] : "");
    assay::write_atomically(folder / "report.html", assay::report_html(folder));
    assay::write_atomically(folder / "report.json", assay::report_json(folder).dump(1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
