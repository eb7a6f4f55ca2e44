// Units of losses that a column names.
#include <gtest/gtest.h>

#include "law/table_fixture.h"

namespace assay {
namespace {

TEST(TableUnits, OneUnitOfAllRowsIsThatOfTheTable) {
  const TableRows table = read_bytes("N,D,loss,Loss Unit\n1,2,3,bits\n2,2,2,bits\n");
  EXPECT_EQ(table.loss_unit, "bits");
  EXPECT_EQ(table.rows[1].loss_unit, "bits");
}

TEST(TableUnits, GroupsMayHaveTheirOwn) {
  const TableRows table =
      read_bytes("N,D,loss,group,loss_unit\n1,2,3,a,bits\n2,2,2,a,bits\n1,2,3,b,nats\n");
  EXPECT_EQ(table.loss_unit, "unknown");
  EXPECT_EQ(table.rows[2].loss_unit, "nats");
}

TEST(TableUnits, TwoInOneGroupAreRefused) {
  EXPECT_EQ(refusal("N,D,loss,loss_unit\n1,2,3,bits\n2,2,2,nats\n").code(), "data.mixed_units");
  EXPECT_EQ(refusal("N,D,loss,loss_unit\n1,2,3,bits\n2,2,2,\n").code(), "data.mixed_units");
  TableOptions options;
  options.loss_unit = "nats";
  EXPECT_EQ(refusal("N,D,loss,loss_unit\n1,2,3,bits\n2,2,2,bits\n", options).code(),
            "data.mixed_units");
  // A diverged run has no loss that could be in a unit.
  EXPECT_EQ(read_bytes("N,D,loss,loss_unit\n1,2,3,bits\n2,2,nan,\n").loss_unit, "bits");
}

}  // namespace
}  // namespace assay
