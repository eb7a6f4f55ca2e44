// Reads the table of contents of tar shards through libarchive.
#include "assay/data/shards.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace assay {
namespace {

using Bytes = std::span<const uint8_t>;

struct Group {
  std::string key;
  std::optional<Bytes> image, json;
};

Error fault(const MappedFile& file, const std::string& entry, const std::string& code,
            const std::string& reason) {
  return Error(code, fmt::format("{}: {}: {}", file.path(), entry, reason),
               "repair or remove the entry, or set on_error = \"skip\"");
}

int32_t label_of(const MappedFile& file, const Group& group, const LabelRule& rule) {
  if (rule.field.empty()) return -1;
  const auto fail = [&](const std::string& reason) {
    return fault(file, group.key, "data.label", reason);
  };
  if (!group.json) throw fail(fmt::format("no {}.json beside the image", group.key));
  const auto json = nlohmann::json::parse(group.json->begin(), group.json->end(), nullptr, false);
  if (!json.is_object()) throw fail("its JSON is not an object");
  const auto found = json.find(rule.field);
  if (found == json.end()) throw fail(fmt::format("its JSON has no field `{}`", rule.field));
  if (!found->is_number_integer())
    throw fail(fmt::format("label {} is not an integer", found->dump()));
  const auto label = found->get<int64_t>();
  const int64_t end = rule.classes.value_or(int64_t{1} << 24);
  if (label < 0 || label >= end)
    throw fail(fmt::format("label {} is outside 0 … {}", label, end - 1));
  return static_cast<int32_t>(label);
}

/// Nothing where the image has no box.
std::optional<ObjectBox> box_of(const MappedFile& file, const Group& group, const LabelRule& rule) {
  if (rule.box.empty() || !group.json) return std::nullopt;
  const auto json = nlohmann::json::parse(group.json->begin(), group.json->end(), nullptr, false);
  if (!json.is_object() || !json.contains(rule.box) || json[rule.box].is_null())
    return std::nullopt;
  const auto& given = json[rule.box];
  const auto is_number = [](const nlohmann::json& item) { return item.is_number(); };
  if (given.is_array() && given.size() == 4 && std::all_of(given.begin(), given.end(), is_number)) {
    const auto sides = given.get<std::array<double, 4>>();
    if (sides[0] <= sides[2] && sides[1] <= sides[3])
      return ObjectBox{sides[0], sides[1], sides[2], sides[3]};
  }
  throw fault(file, group.key, "data.box",
              fmt::format("`{}` {} is not [left, top, right, bottom]", rule.box, given.dump()));
}

/// Contents of the current entry, inside the mapped file. Nothing if the file ends before the
/// entry.
std::optional<Bytes> contents(archive* reader, const MappedFile& file, size_t size) {
  const void* block = nullptr;
  size_t length = 0;
  la_int64_t offset = 0;
  const uint8_t* start = nullptr;
  size_t total = 0;
  while (archive_read_data_block(reader, &block, &length, &offset) == ARCHIVE_OK) {
    if (!start) start = static_cast<const uint8_t*>(block);
    total += length;
  }
  if (total != size) return std::nullopt;
  if (size == 0) return Bytes{};
  const Bytes whole = file.bytes();
  // libarchive hands out pointers into memory that it was given; a copy would have no place here.
  if (start < whole.data() || start + size > whole.data() + whole.size()) return std::nullopt;
  return Bytes(start, size);
}

class ShardReader {
 public:
  ShardReader(const MappedFile& file, size_t shard, const LabelRule& labels, Faults& faults,
              std::vector<Sample>& samples)
      : file_(file), shard_(shard), labels_(labels), faults_(faults), samples_(samples) {}

  void read() {
    const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                        archive_read_free);
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_none(reader.get());
    int status = archive_read_open_memory(reader.get(), file_.bytes().data(), file_.bytes().size());
    while (status == ARCHIVE_OK || status == ARCHIVE_WARN) {
      archive_entry* entry = nullptr;
      status = archive_read_next_header(reader.get(), &entry);
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) break;
      if (archive_entry_filetype(entry) != AE_IFREG) continue;
      const char* name = archive_entry_pathname(entry);
      last_ = name ? name : "?";
      const auto data =
          contents(reader.get(), file_, static_cast<size_t>(archive_entry_size(entry)));
      if (!data) return truncated();
      add(last_, *data);
    }
    if (status != ARCHIVE_EOF && last_.empty())
      return faults_.report(Error("data.archive",
                                  fmt::format("{} is not an uncompressed tar file", file_.path()),
                                  "shards are plain .tar; unpack .tar.gz first"));
    if (status != ARCHIVE_EOF || !complete()) return truncated();
    flush();
  }

 private:
  /// A tar file ends with blocks of zeros: libarchive does not miss them when a file is cut exactly
  /// between two entries.
  bool complete() const {
    const Bytes bytes = file_.bytes();
    return bytes.size() >= 1024 && bytes.size() % 512 == 0 &&
           std::all_of(bytes.end() - 512, bytes.end(), [](uint8_t byte) { return byte == 0; });
  }

  void truncated() {
    faults_.report(fault(file_, last_.empty() ? "start" : last_, "data.truncated",
                         "the file ends here, before the end of the archive"));
    if (group_.image && (group_.json || labels_.field.empty())) flush();
  }

  void add(const std::string& path, Bytes data) {
    const size_t slash = path.rfind('/');
    const size_t dot = path.find('.', slash == std::string::npos ? 0 : slash + 1);
    if (dot == std::string::npos) return;
    const std::string key = path.substr(0, dot);
    std::string extension = path.substr(dot + 1);
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (key != group_.key) {
      flush();
      group_ = {key, std::nullopt, std::nullopt};
    }
    if (extension == "jpg" || extension == "jpeg" || extension == "png") group_.image = data;
    if (extension == "json") group_.json = data;
  }

  void flush() {
    const Group group = std::exchange(group_, {});
    if (!group.image && !group.json) return;
    try {
      if (!group.image)
        throw fault(file_, group.key, "data.decode", "no .jpg, .jpeg or .png beside its JSON");
      const auto offset = static_cast<size_t>(group.image->data() - file_.bytes().data());
      samples_.push_back({shard_, group.key, group.image->empty() ? 0 : offset, group.image->size(),
                          label_of(file_, group, labels_), box_of(file_, group, labels_)});
    } catch (const Error& error) {
      faults_.report(error);
    }
  }

  const MappedFile& file_;
  size_t shard_;
  const LabelRule& labels_;
  Faults& faults_;
  std::vector<Sample>& samples_;
  Group group_;
  std::string last_;
};

}  // namespace

void read_shard(const MappedFile& file, size_t shard, const LabelRule& labels, Faults& faults,
                std::vector<Sample>& samples) {
  ShardReader(file, shard, labels, faults, samples).read();
}

}  // namespace assay
