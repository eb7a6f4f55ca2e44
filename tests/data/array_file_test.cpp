// Headers of .npy and safetensors files: what NumPy writes, and every fault on purpose.
#include "assay/data/array_file.h"

#include "assay/data/npy_header.h"
#include "assay/store/safetensors.h"
#include "data/fixtures.h"

namespace assay {
namespace {

using namespace std::string_literals;

class ArrayFileTest : public test::DataTest {
 protected:
  FileArray npy(const std::string& content) const {
    write("a.npy", content);
    return read_npy(path("a.npy"));
  }
  void expect_npy_error(const std::string& content, const std::string& code,
                        const std::string& reason, const std::string& remedy) const {
    expect_error(test::error_of([&] { npy(content); }), "a.npy", code, reason, remedy);
  }
  void expect_tensor_error(const std::string& content, const std::string& code,
                           const std::string& reason, const std::string& remedy) const {
    write("a.safetensors", content);
    expect_error(test::error_of([&] { read_tensor(path("a.safetensors"), "images"); }),
                 "a.safetensors", code, reason, remedy);
  }

 private:
  static void expect_error(const Error& error, const std::string& file, const std::string& code,
                           const std::string& reason, const std::string& remedy) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& word : {file, reason})
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    EXPECT_NE(error.help().find(remedy), std::string::npos) << error.help();
  }
};

/// numpy.lib.format.write_array(file, np.arange(2, dtype="<i2").reshape(2, 1), version) of NumPy
/// 2.3, byte by byte.
const std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1), }";
const std::string version1 =
    "\x93NUMPY\x01\x00\x76\x00"s + header + std::string(58, ' ') + "\n"s + "\x00\x00\x01\x00"s;
const std::string version2 = "\x93NUMPY\x02\x00\x74\x00\x00\x00"s + header + std::string(56, ' ') +
                             "\n"s + "\x00\x00\x01\x00"s;
const std::string version3 = "\x93NUMPY\x03\x00\x74\x00\x00\x00"s + header + std::string(56, ' ') +
                             "\n"s + "\x00\x00\x01\x00"s;

TEST_F(ArrayFileTest, ReadsWhatNumPyWrites) {
  for (const std::string& content : {version1, version2, version3}) {
    const FileArray array = npy(content);
    EXPECT_EQ(array.dtype, "int16");
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 1}));
    EXPECT_EQ(std::string(array.data.begin(), array.data.end()), "\0\0\1\0"s);
  }
  // The fixture of the other tests writes the same bytes.
  EXPECT_EQ(test::npy("'<i2'", "(2, 1)", "\0\0\1\0"s), version1);
  EXPECT_EQ(test::npy("'<i2'", "(2, 1)", "\0\0\1\0"s, 2), version2);
}

TEST_F(ArrayFileTest, OrderOfOneSideIsNoOrder) {
  EXPECT_EQ(npy(test::npy("'|u1'", "(3,)", "abc", 1, "True")).count(), 3);
  expect_npy_error(test::npy("'|u1'", "(3, 1)", "abc", 1, "True"), "data.layout", "Fortran order",
                   "np.ascontiguousarray");
}

TEST_F(ArrayFileTest, CutAnywhereIsAnError) {
  const std::string whole = test::npy("'<i2'", "(2, 1)", "\0\0\1\0"s);
  for (size_t length = 0; length < whole.size(); ++length) {
    const Error error = test::error_of([&] { npy(whole.substr(0, length)); });
    // Fewer than the six bytes of the magic are no .npy file.
    EXPECT_EQ(error.code(), length == 0 || length >= 6 ? "data.truncated" : "data.format")
        << length << error.what();
  }
  expect_npy_error(whole.substr(0, 131), "data.truncated", "3 bytes of data", "write it again");
  expect_npy_error(whole + "x", "data.format", "1 bytes after the array", "one array");
}

TEST_F(ArrayFileTest, OtherFilesAreRecognised) {
  expect_npy_error("hello", "data.format", "not a .npy file", "np.save");
  expect_npy_error("PK\3\4 zip", "data.format", ".npz", "np.load(file)[key]");
  expect_npy_error("\x80\4\x95 pickle", "data.format", "pickle", "np.save");
  std::string version9 = version1;
  version9[6] = 9;
  expect_npy_error(version9, "data.format", "version 9", "1 to 3");
  EXPECT_EQ(test::error_of([&] { read_npy(path("none.npy")); }).code(), "data.missing_file");
}

TEST_F(ArrayFileTest, TypesThatAreNoPlainNumbers) {
  const auto of_type = [](const std::string& descr) {
    return test::npy(descr, "(2,)", std::string(32, '\0'));
  };
  expect_npy_error(of_type("'|O'"), "data.dtype", "pickled Python objects", "astype(np.uint8)");
  expect_npy_error(of_type("[('x', '<f4'), ('y', '|u1', (2,))]"), "data.dtype", "records",
                   "each field");
  expect_npy_error(of_type("'>f4'"), "data.dtype", "big-endian", "newbyteorder");
  for (const std::string descr : {"'<f8'", "'<f2'", "'|b1'", "'<c8'", "'<U4'", "'|S3'"})
    expect_npy_error(of_type(descr), "data.dtype", "not supported", "astype(np.float32)");
}

TEST_F(ArrayFileTest, ImpossibleShapesDoNotOverflow) {
  expect_npy_error(test::npy("'<f4'", "(4294967296, 4294967296, 4294967296)", ""), "data.truncated",
                   "more than 2^64", "write it again");
  expect_npy_error(test::npy("'<f4'", "(99999999999999999999,)", ""), "data.format",
                   "not that of an array", "write it again");
}

TEST(NpyHeaderTest, AcceptsTheDictionaryAndNothingElse) {
  const auto ok = parse_npy_header("{'shape': (), \"descr\": '<f4', 'fortran_order': True}  \n");
  ASSERT_TRUE(ok);
  EXPECT_TRUE(ok->shape.empty() && ok->fortran_order && ok->descr == "<f4");
  for (const std::string wrong :
       {"", "{}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}",
        "{'descr': [('x', '<f4'), 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x"})
    EXPECT_FALSE(parse_npy_header(wrong)) << wrong;
}

const std::string tensors =
    R"({"__metadata__":{"a":"b"},"images":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},)"
    R"("labels":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]}})";

TEST_F(ArrayFileTest, ReadsTensorsByName) {
  write("a.safetensors", test::safetensors(tensors, "abcdef"));
  const FileArray array = read_tensor(path("a.safetensors"), "images");
  EXPECT_EQ(array.dtype, "uint8");
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(std::string(array.data.begin(), array.data.end()), "abcd");
  EXPECT_EQ(tensor_names(path("a.safetensors")), (std::vector<std::string>{"images", "labels"}));
  const Error missing = test::error_of([&] { read_tensor(path("a.safetensors"), "image"); });
  EXPECT_EQ(missing.code(), "data.tensor");
  EXPECT_NE(missing.help().find("`images`"), std::string::npos) << missing.help();
  EXPECT_EQ(test::error_of([&] { read_tensor(path("a.safetensors"), "labels"); }).code(),
            "data.dtype");
}

TEST_F(ArrayFileTest, ReadsWhatTheStoreWrites) {
  const std::vector<float> numbers{1, 2, 3};
  const StoredTensor tensor{"images", "F32", {3, 1}, std::as_bytes(std::span(numbers))};
  write_safetensors(path("b.safetensors"), {&tensor, 1}, {{"key", "value"}});
  const FileArray array = read_tensor(path("b.safetensors"), "images");
  EXPECT_EQ(array.dtype, "float32");
  EXPECT_EQ(std::string(array.data.begin(), array.data.end()), test::raw(numbers));
}

TEST_F(ArrayFileTest, DamagedTensorsAreRefused) {
  const std::string whole = test::safetensors(tensors, "abcdef");
  expect_tensor_error("", "data.truncated", "header", "write it again");
  expect_tensor_error(whole.substr(0, 50), "data.truncated", "header", "write it again");
  expect_tensor_error(whole.substr(0, whole.size() - 3), "data.truncated", "byte 4 of 3",
                      "write it again");
  expect_tensor_error("plain text, not tensors", "data.format", "no JSON header", "save_file");
  expect_tensor_error(test::safetensors("{\"images\":", ""), "data.format", "not JSON",
                      "save_file");
  expect_tensor_error(test::safetensors(R"({"images":{"dtype":"U8","shape":[2]}})", ""),
                      "data.format", "data_offsets", "write it again");
  expect_tensor_error(
      test::safetensors(R"({"images":{"dtype":"U8","shape":[2,3],"data_offsets":[0,4]}})", "abcd"),
      "data.format", "4 bytes do not make uint8 [2,3]", "write it again");
}

}  // namespace
}  // namespace assay
