// The table of meters.
#include "assay/measure/meter.h"

namespace assay {

#define ASSAY_METER(name) MeterEntry name();
namespace meters {
#include "assay/measure/builtin.def"
}
#undef ASSAY_METER

const std::vector<MeterEntry>& meter_entries() {
  static const std::vector<MeterEntry> entries = {
#define ASSAY_METER(name) meters::name(),
#include "assay/measure/builtin.def"
#undef ASSAY_METER
  };
  return entries;
}

}  // namespace assay
