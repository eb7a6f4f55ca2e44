// safetensors: round trips, and every way a file can be broken.
#include "assay/store/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "assay/core/error.h"
#include "assay/store/files.h"
#include "temporary_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

std::string file_with(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, 'x');
}

TEST(Safetensors, RoundTripKeepsOrderShapesBytesAndMetadata) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "x.safetensors";
  const std::vector<float> floats{1.5F, -0.0F, 3e38F, 4, 5, 6};
  const std::vector<double> doubles{0.1};
  const std::vector<int64_t> integers{INT64_MIN, 7};
  const std::vector<uint8_t> small{1, 2, 3};
  const std::vector<StoredTensor> tensors{{"zeta", "F32", {2, 3}, bytes_of(floats)},
                                          {"empty", "F32", {0, 4}, {}},
                                          {"alpha", "F64", {}, bytes_of(doubles)},
                                          {"ids", "I64", {2}, bytes_of(integers)},
                                          {"mask", "U8", {3}, bytes_of(small)}};
  const std::map<std::string, std::string> metadata{{"assay", "{\"step\": 3}"}, {"é", "\"\n"}};
  write_safetensors(path, tensors, metadata);
  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(read_safetensors_metadata(path), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const StoredTensor& found = file.tensors()[i];
    EXPECT_EQ(found.name, tensors[i].name);
    EXPECT_EQ(found.dtype, tensors[i].dtype);
    EXPECT_EQ(found.shape, tensors[i].shape);
    EXPECT_TRUE(std::ranges::equal(found.data, tensors[i].data));
  }
  EXPECT_EQ(file.find("ids")->shape, std::vector<int64_t>{2});
  EXPECT_EQ(file.find("nothing"), nullptr);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x.safetensors"});
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  const TemporaryFolder folder;
  const std::vector<float> values(4);
  const fs::path path = folder.path / "x";
  const auto write = [&](const StoredTensor& tensor) {
    write_safetensors(path, std::vector<StoredTensor>{tensor}, {});
  };
  EXPECT_THROW(write({"a", "F32", {5}, bytes_of(values)}), Error);
  EXPECT_THROW(write({"a", "F16", {4}, bytes_of(values)}), Error);
  const StoredTensor good{"a", "F32", {4}, bytes_of(values)};
  EXPECT_THROW(write_safetensors(path, std::vector<StoredTensor>{good, good}, {}), Error);
  EXPECT_TRUE(folder.names().empty());
}

struct Broken {
  std::string what, bytes, reason;
};

class SafetensorsCorrupt : public testing::TestWithParam<Broken> {};

TEST_P(SafetensorsCorrupt, IsRefusedWithItsReason) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "x";
  std::ofstream(path, std::ios::binary) << GetParam().bytes;
  try {
    const SafetensorsFile file(path);
    FAIL() << GetParam().what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "store.corrupt");
    EXPECT_NE(std::string(error.what()).find(GetParam().reason), std::string::npos) << error.what();
  }
}

std::string tensor_header(const std::string& shape, const std::string& offsets,
                          const std::string& dtype = "F32") {
  return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

INSTANTIATE_TEST_SUITE_P(
    Files, SafetensorsCorrupt,
    testing::Values(
        Broken{"empty", "", "truncated"}, Broken{"short length", "abc", "truncated"},
        Broken{"huge length", std::string(8, '\xff') + "{}", "truncated"},
        Broken{"cut header", file_with(tensor_header("[1]", "[0,4]"), 4).substr(0, 20),
               "truncated"},
        Broken{"not JSON", file_with("{nope", 0), "not JSON"},
        Broken{"not an object", file_with("[1]", 0), "not a JSON object"},
        Broken{"cut data", file_with(tensor_header("[2]", "[0,8]"), 7), "truncated"},
        Broken{"backward offsets", file_with(tensor_header("[1]", "[4,0]"), 4), "truncated"},
        Broken{"negative offsets", file_with(tensor_header("[1]", "[-4,0]"), 4), "truncated"},
        Broken{"wrong size", file_with(tensor_header("[3]", "[0,8]"), 8), "dtype × shape"},
        Broken{"overflow", file_with(tensor_header("[4611686018427387904,4]", "[0,0]"), 0),
               "impossible shape"},
        Broken{"negative side", file_with(tensor_header("[-1]", "[0,4]"), 4), "impossible shape"},
        Broken{"unknown dtype", file_with(tensor_header("[1]", "[0,4]", "F8"), 4), "unknown dtype"},
        Broken{"missing field", file_with(R"({"a":{"dtype":"F32"}})", 0), "lacks"},
        Broken{"hole", file_with(tensor_header("[1]", "[4,8]"), 8), "holes"},
        Broken{"tail", file_with(tensor_header("[1]", "[0,4]"), 6), "after the last"},
        Broken{"metadata", file_with(R"({"__metadata__":{"a":1}})", 0), "not text"}));

TEST(Safetensors, EveryTruncationOfAGoodFileIsRefused) {
  const TemporaryFolder folder;
  const std::vector<float> values(3);
  const fs::path path = folder.path / "x";
  write_safetensors(path, std::vector<StoredTensor>{{"a", "F32", {3}, bytes_of(values)}},
                    {{"k", "v"}});
  const std::string whole = read_file(path);
  for (size_t length = 0; length < whole.size(); ++length) {
    write_atomically(path, whole.substr(0, length));
    EXPECT_THROW(SafetensorsFile{path}, Error) << length;
  }
}

// Written in pieces, the file is the one that is written at once; unfinished, there is none.
TEST(SafetensorsWriter, PieceByPiece) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const auto data = std::as_bytes(std::span(values));
  const std::vector<StoredTensor> whole = {{"a", "F32", {2, 3}, data}};
  write_safetensors(folder.path / "one", whole, {{"key", "value"}});
  const std::vector<SafetensorsWriter::Entry> entries = {{"a", "F32", {2, 3}}};
  {
    SafetensorsWriter writer(folder.path / "other", entries, {{"key", "value"}});
    EXPECT_EQ(writer.data_bytes(), 24u);
    writer.append(data.subspan(0, 4));
    EXPECT_THROW(writer.commit(), Error) << "bytes are missing";
    writer.append(data.subspan(4));
    EXPECT_THROW(writer.append(data.subspan(0, 4)), Error) << "bytes too many";
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"one"}) << "uncommitted bytes were left";
  SafetensorsWriter writer(folder.path / "other", entries, {{"key", "value"}});
  for (size_t i = 0; i < data.size(); i += 8) writer.append(data.subspan(i, 8));
  writer.commit();
  EXPECT_EQ(read_file(folder.path / "one"), read_file(folder.path / "other"));
}

}  // namespace
}  // namespace assay
