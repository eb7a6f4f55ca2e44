// Records survive JSON, numbers that do not exist included.
#include "assay/core/records.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

TEST(Records, MeasurementRoundTrip) {
  Measurement m;
  m.meter = "probe";
  m.quantity = "bits";
  m.unit = "bit";
  m.step = 12;
  m.fraction = 0.4;
  m.flops = 1.5e12;
  m.labels = {{"factor", "hue"}, {"features", "gain"}};
  m.value = -0.1 / 3;
  m.low = -0.5;
  m.high = 0.25;
  m.n = 500;
  m.method = "t";
  m.note = "not learned";
  const auto json = nlohmann::json::parse(to_json(m).dump());
  const Measurement back = measurement_from_json(json);
  EXPECT_EQ(to_json(back), to_json(m));
  EXPECT_EQ(back.value,
            m.value);  // exact: dump() prints the shortest text that reads back the same
}

TEST(Records, AValueThatCouldNotBeHadIsNull) {
  Measurement m;
  m.value = std::numeric_limits<double>::quiet_NaN();
  m.low = -std::numeric_limits<double>::infinity();
  const auto json = to_json(m);
  EXPECT_TRUE(json.at("value").is_null());
  EXPECT_TRUE(std::isnan(measurement_from_json(json).value));
  EXPECT_FALSE(measurement_from_json(json).low.has_value());
}

TEST(Records, LedgerAndOutcomeRoundTrip) {
  const Ledger ledger{5, 1e12, 2e11, 320, 300, 20480};
  EXPECT_EQ(to_json(ledger_from_json(to_json(ledger))), to_json(ledger));
  const Outcome outcome{"diverged", "loss is not finite", 7};
  EXPECT_EQ(to_json(outcome_from_json(to_json(outcome))), to_json(outcome));
}

}  // namespace
}  // namespace assay
