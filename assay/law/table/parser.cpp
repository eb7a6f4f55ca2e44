// Lines are fed one at a time, so that line numbers and offsets of rows are known.
#include "assay/law/table/parser.h"

#include <utility>

namespace assay {
namespace {

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == line.npos; }

// The end of the line that begins at `begin`: behind LF, CRLF or CR.
size_t line_end(std::string_view text, size_t begin) {
  const size_t feed = text.find('\n', begin);
  const size_t end = feed == text.npos ? text.size() : feed + 1;
  const size_t carriage = text.substr(begin, end - begin).find('\r');
  if (carriage == text.npos) return end;
  const size_t behind = begin + carriage + 1;
  return behind < text.size() && text[behind] == '\n' ? behind + 1 : behind;
}

}  // namespace

TableParser::TableParser(char separator, std::function<void(const TableRow&)> visit)
    : visit_(std::move(visit)) {
  csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(&parser_, static_cast<unsigned char>(separator));
  csv_set_blk_size(&parser_, 1 << 16);
}

TableParser::~TableParser() { csv_free(&parser_); }

bool TableParser::feed_line(std::string_view text, size_t offset) {
  const std::string_view line = text.substr(offset, line_end(text, offset) - offset);
  ++line_;
  if (!inside_row_ && !blank(line)) {
    row_line_ = line_;
    row_offset_ = offset;
    inside_row_ = true;
  }
  return feed_bytes(line, offset);
}

bool TableParser::feed_bytes(std::string_view bytes, size_t offset) {
  const size_t done = csv_parse(&parser_, bytes.data(), bytes.size(), &on_cell, &on_row, this);
  offset_ = offset + done;
  rethrow();
  return done == bytes.size();
}

bool TableParser::finish() {
  const bool closed = csv_fini(&parser_, &on_cell, &on_row, this) == 0;
  rethrow();
  return closed;
}

// Exceptions must not pass through C.
template <class Work>
void TableParser::guarded(void* self, Work work) {
  auto& parser = *static_cast<TableParser*>(self);
  if (parser.failure_) return;
  try {
    work(parser);
  } catch (...) {
    parser.failure_ = std::current_exception();
  }
}

void TableParser::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void TableParser::on_cell(void* bytes, size_t size, void* self) {
  guarded(self, [&](TableParser& parser) {
    parser.bytes_.append(static_cast<const char*>(bytes), size);
    parser.ends_.push_back(parser.bytes_.size());
    ++parser.all_cells_;
  });
}

void TableParser::on_row(int, void* self) {
  guarded(self, [](TableParser& parser) { parser.end_row(); });
}

void TableParser::end_row() {
  cells_.clear();
  size_t begin = 0;
  for (const size_t end : ends_) {
    cells_.push_back(std::string_view(bytes_).substr(begin, end - begin));
    begin = end;
  }
  // Spreadsheets end in rows of separators alone: blank too.
  if (!bytes_.empty() && visit_) visit_({cells_, row_line_, row_offset_});
  bytes_.clear();
  ends_.clear();
  inside_row_ = false;
}

}  // namespace assay
