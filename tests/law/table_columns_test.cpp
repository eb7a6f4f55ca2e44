// Which column serves as what.
#include "assay/law/table/columns.h"

#include <gtest/gtest.h>

#include "law/table_fixture.h"

namespace assay {
namespace {

TEST(TableColumns, RecognisesNamesInCommonUse) {
  const auto expect = [](const std::string& header, const std::string& role,
                         const std::string& column) {
    const TableRows table = read_bytes(header + "\n1e6,2e9,3.5\n2e6,4e9,3.25\n");
    EXPECT_EQ(column_of(table, role), column) << header;
  };
  for (const char* n : {"N", "n", "params", "Parameters", "model size", "params_N", "Model Size",
                        "MODEL_SIZE", "non-embedding params", "num_params"})
    expect(std::string(n) + ",D,loss", "model_size", n);
  for (const char* d : {"D", "tokens", "tokens_D", "data", "examples", "Seen Examples", "samples"})
    expect("N," + std::string(d) + ",loss", "data_size", d);
  for (const char* c : {"C", "Training FLOP", "flops", "compute", "FLOPs", "training_flops"})
    expect("N," + std::string(c) + ",loss", "compute", c);
  for (const char* l : {"loss", "Loss", "val_loss", "validation loss", "Validation Loss", "L",
                        "loss_nats", "val loss (bits/byte)"})
    expect("N,D," + std::string(l), "loss", l);
}

TEST(TableColumns, RecognisesRunsSeedsUniqueDataAndStatus) {
  const TableRows table = read_bytes(
      "Run ID,seed,N,D,unique_tokens_U,objective,status,loss\n"
      "a,1,1e6,2e9,1e9,mae,completed,3.5\n,,2e6,2e9,1e9,mae,completed,3.25\n");
  EXPECT_EQ(column_of(table, "run"), "Run ID");
  EXPECT_EQ(table.rows[0].run, "a / 1");
  EXPECT_EQ(table.rows[1].run, "") << "no run cell: a run of its own";
  EXPECT_EQ(table.rows[0].unique_data, 1e9);
  EXPECT_EQ(table.rows[0].group, "mae");
  EXPECT_EQ(column_of(table, "status"), "status");
  // The seeds of different sizes are not one run.
  EXPECT_EQ(read_bytes("seed,N,D,loss\n1,1e6,2e9,3.5\n").rows[0].run, "");
}

TEST(TableColumns, ReadsUnitsAndScalesInNames) {
  const TableRows table = read_bytes("Params (B),tokens_M,loss_bits_per_byte\n0.5,300,1.25\n");
  EXPECT_DOUBLE_EQ(table.rows[0].model_size, 0.5e9);
  EXPECT_DOUBLE_EQ(table.rows[0].data_size, 300e6);
  EXPECT_EQ(table.loss_unit, "bits per byte");
  EXPECT_EQ(table.data_unit, "tokens");
  EXPECT_EQ(table.model_size_definition, "unknown");
  EXPECT_EQ(read_bytes("non_embedding_params,D,loss\n1e6,1e9,2\n").model_size_definition,
            "without embeddings");
  TableOptions options;
  options.loss_unit = "nats";
  options.model_size_definition = "with embeddings";
  const TableRows given = read_bytes("N,D,loss\n1e6,1e9,2\n", options);
  EXPECT_EQ(given.loss_unit, "nats");
  EXPECT_EQ(given.model_size_definition, "with embeddings");
  EXPECT_EQ(read_bytes("N,D,loss\n1e6,1e9,2\n").loss_unit, "unknown");
  EXPECT_EQ(column_of(read_bytes("N,d_k,loss\n1e6,64,2\n"), "data_size"), "");
}

TEST(TableColumns, AmbiguityNamesTheCandidatesAndTheOption) {
  const Error error = refusal("N,D,train_loss,val_loss\n1e6,1e9,2,3\n");
  EXPECT_EQ(place_of(error), "usage.ambiguous_column 1:16 8");
  EXPECT_NE(std::string(error.what()).find("`train_loss`, `val_loss`"), std::string::npos);
  EXPECT_NE(error.help().find("--loss-column"), std::string::npos);
  EXPECT_EQ(error.exit_code(), ExitCode::usage);
  const TableRows table = read_bytes("N,D,train_loss,val_loss\n1e6,1e9,2,3\n",
                                     with_column(ColumnRole::loss, {"VAL LOSS"}));
  EXPECT_EQ(table.rows[0].loss, 3);
  EXPECT_EQ(table.unused_columns, (std::vector<std::string>{"train_loss"}));
  EXPECT_EQ(refusal("N,N,loss\n1,2,3\n").code(), "usage.ambiguous_column");
  EXPECT_EQ(
      refusal("N,D,a b,a_b,loss\n1,2,3,4,5\n", with_column(ColumnRole::group, {"A B"})).code(),
      "usage.ambiguous_column");
}

TEST(TableColumns, AMissingColumnListsTheColumnsAndTheNearestName) {
  const Error none = refusal("N,D,perplexity\n1e6,1e9,2\n");
  EXPECT_EQ(none.code(), "usage.missing_column");
  EXPECT_NE(std::string(none.what()).find("`N`, `D`, `perplexity`"), std::string::npos);
  EXPECT_NE(none.help().find("--loss-column"), std::string::npos);
  EXPECT_NE(refusal("N,D,validation los\n1,1,2\n").help().find("`validation los`"),
            std::string::npos);
  EXPECT_EQ(refusal("width,loss\n1,2\n").code(), "usage.missing_column");
  const Error wrong = refusal("N,D,loss\n1,1,2\n", with_column(ColumnRole::loss, {"losss"}));
  EXPECT_EQ(wrong.code(), "usage.unknown_column");
  EXPECT_EQ(wrong.help(), "did you mean `loss`?");
}

TEST(TableColumns, OneColumnServesAsOneThing) {
  TableOptions options = with_column(ColumnRole::model_size, {"D"});
  const TableRows table = read_bytes("N,D,loss\n1e6,1e9,2\n", options);
  EXPECT_EQ(table.rows[0].model_size, 1e9) << "a column that is given is no candidate elsewhere";
  EXPECT_EQ(column_of(table, "data_size"), "");
  options.columns[static_cast<size_t>(ColumnRole::data_size)] = {"D"};
  EXPECT_EQ(refusal("N,D,loss\n1e6,1e9,2\n", options).code(), "usage.column_twice");
  EXPECT_EQ(refusal("N,D,loss\n1,1,2\n", with_column(ColumnRole::loss, {"loss", "N"})).code(),
            "usage.column_twice");
}

TEST(TableColumns, SeveralGroupColumnsAreJoined) {
  const TableRows table =
      read_bytes("task,model,x,loss\nIC,ViT/B/16,1,2\n,\"6 Enc, 6 Dec\",2,3\n", [] {
        TableOptions options = with_column(ColumnRole::group, {"task", "model"});
        options.columns[static_cast<size_t>(ColumnRole::data_size)] = {"x"};
        return options;
      }());
  EXPECT_EQ(table.rows[0].group, "IC / ViT/B/16");
  EXPECT_EQ(table.rows[1].group, " / 6 Enc, 6 Dec");
}

TEST(TableColumns, DataComesFromComputeWhereItIsAskedForOrMissing) {
  const TableRows missing = read_bytes("N,flops,loss\n1e6,6e15,3\n");
  EXPECT_TRUE(missing.data_from_compute);
  EXPECT_DOUBLE_EQ(missing.rows[0].data_size, 1e9);
  EXPECT_DOUBLE_EQ(missing.rows[0].compute, 6e15);
  const std::string both = "N,D,flops,loss\n1e6,2e9,6e15,3\n";
  EXPECT_FALSE(read_bytes(both).data_from_compute);
  EXPECT_DOUBLE_EQ(read_bytes(both).rows[0].data_size, 2e9);
  TableOptions options = with_column(ColumnRole::compute, {"flops"});
  const TableRows asked = read_bytes(both, options);
  EXPECT_DOUBLE_EQ(asked.rows[0].data_size, 1e9);
  EXPECT_TRUE(warns(asked, "data_column_unused"));
  EXPECT_EQ(asked.unused_columns, (std::vector<std::string>{"D"}));
  options.columns[static_cast<size_t>(ColumnRole::data_size)] = {"D"};
  EXPECT_DOUBLE_EQ(read_bytes(both, options).rows[0].data_size, 2e9);
  EXPECT_FALSE(read_bytes("flops,loss\n6e15,3\n").data_from_compute) << "no N: a law of compute";
}

}  // namespace
}  // namespace assay
