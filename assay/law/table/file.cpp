// What is a table and what is not, and the places of cells.
#include "assay/law/table/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "assay/law/table/number.h"
#include "assay/store/files.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kShownBytes = 60;  // of a line, behind the cell that an error points at

// What people hand over instead of a table, by its first bytes.
constexpr std::array<std::pair<std::string_view, const char*>, 6> kOtherFormats{{
    {"PK\x03\x04", "a spreadsheet or zip archive: save the sheet as CSV"},
    {"\xD0\xCF\x11\xE0", "an old spreadsheet: save the sheet as CSV"},
    {"\x1F\x8B", "compressed with gzip: unpack it first"},
    {"PAR1", "a Parquet file: write it as CSV"},
    {"\xFF\xFE", "UTF-16 text: save it as UTF-8"},
    {"\xFE\xFF", "UTF-16 text: save it as UTF-8"},
}};

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Bytes of the UTF-8 character at the start of `text`; 0 if it is none that can be shown.
size_t character_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  // Four-byte characters and the three-byte ones around the surrogates are not worth a table.
  const size_t size = lead >= 0xC2 && lead < 0xE0                  ? 2
                      : lead > 0xE0 && lead < 0xF0 && lead != 0xED ? 3
                                                                   : 0;
  if (text.size() < size) return 0;
  return std::ranges::all_of(text.substr(1, size ? size - 1 : 0), continues_character) ? size : 0;
}

// One printable character for each character: the columns of a line stay where they are.
std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t size = character_size(text);
    const auto lead = static_cast<unsigned char>(text[0]);
    if (size == 0) {
      if (!continues_character(text[0]) || out.empty()) out += '?';
    } else if (lead < 0x20 || lead == 0x7F) {
      out += ' ';
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<size_t>(1, size));
  }
  return out;
}

size_t characters(std::string_view text) {
  return text.size() - static_cast<size_t>(std::ranges::count_if(text, continues_character));
}

std::string_view first_line(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

char most_frequent_separator(std::string_view line) {
  constexpr std::string_view separators = ",;\t";
  std::array<size_t, 3> counts{};
  bool inside_quotes = false;
  for (const char c : line) {
    if (c == '"') inside_quotes = !inside_quotes;
    const size_t which = separators.find(c);
    if (!inside_quotes && which != separators.npos) ++counts[which];
  }
  return separators[static_cast<size_t>(std::ranges::max_element(counts) - counts.begin())];
}

std::string read_table(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (status.type() == fs::file_type::not_found) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(
             path.has_parent_path() ? path.parent_path() : fs::path("."), ignored))
      if (entry.path().extension() == path.extension())
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    const auto near = nearest_name(path.filename().string(), names);
    throw Error("data.missing_file", fmt::format("no file {}", path.string()),
                near ? fmt::format("did you mean {}?", in_backticks(*near))
                     : "give the path of a table with a header line",
                whole_file(path));
  }
  if (fs::is_directory(status))
    throw Error("data.folder", fmt::format("{} is a folder, not a table", path.string()),
                "give one CSV file", whole_file(path));
  return read_file(path);
}

}  // namespace

Place whole_file(const fs::path& path) {
  return {std::make_shared<const Source>(Source{path.string(), {}})};
}

std::string in_backticks(std::string_view text) {
  std::string shown = printable(text.substr(0, 200));
  size_t end = 0;
  for (int count = 0; end < shown.size() && count < 40; ++count)
    end += character_size(shown.substr(end));
  const bool cut = end < shown.size() || text.size() > 200;
  return fmt::format("`{}{}`", shown.substr(0, end), cut ? "…" : "");
}

TableFile::TableFile(const fs::path& path) : path_(path.string()), text_(read_table(path)) {
  check_is_text();
  if (text_.starts_with(kByteOrderMark)) text_.erase(0, kByteOrderMark.size());
  separator_ = most_frequent_separator(first_line(text_));
  read_header();
}

void TableFile::check_is_text() const {
  for (const auto& [magic, help] : kOtherFormats)
    if (text_.starts_with(magic))
      throw Error("data.binary", fmt::format("{} is not a table of text", path_), help,
                  whole_file(path_));
  if (const size_t zero = text_.find('\0'); zero != text_.npos)
    throw Error("data.binary",
                fmt::format("{} is not a table of text: byte {} is zero", path_, zero + 1),
                "give a CSV file in UTF-8", whole_file(path_));
}

void TableFile::read_header() {
  bool found = false;
  TableParser parser(separator_, [&](const TableRow& row) {
    if (found) return;
    found = true;
    header_.assign(row.cells.begin(), row.cells.end());
    header_offset_ = row.offset;
  });
  for (size_t offset = 0; !found && offset < text_.size(); offset = parser.offset())
    if (!parser.feed_line(text_, offset))
      throw Error("data.quote", "a quote inside a cell of the header",
                  "put the whole name in quotes, and write a quote in it twice",
                  place({parser.offset(), parser.offset() + 1}));
  if (!found) parser.finish();
  if (!found)
    throw Error("data.empty", fmt::format("{} is empty", path_),
                "a table has a header line with the names of its columns, then one row a line",
                whole_file(path_));
  const bool values = std::ranges::all_of(header_, [](const std::string& name) {
    return name.empty() || parse_number(name, decimal_mark(',')).fault == NumberFault::none;
  });
  if (values)
    throw header_error("data.header", "the first line holds values, not the names of columns",
                       "put a header line first, for example N,D,loss", 0);
}

void TableFile::feed(TableParser& parser) const {
  for (size_t offset = 0; offset < text_.size(); offset = parser.offset())
    if (!parser.feed_line(text_, offset))
      throw Error("data.quote", "a quote stands inside a cell",
                  "put the whole cell in quotes, and write a quote in it twice",
                  place({parser.offset(), parser.offset() + 1}));
  const size_t row = parser.row_offset(), cell = parser.cells();
  if (!parser.finish())
    throw Error("data.quote", "a quote is opened here and never closed",
                "close it, or write the quote twice inside a quoted cell",
                place({cell_extent(row, cell).begin, cell_extent(row, cell).begin + 1}));
}

void TableFile::for_each_row(const std::function<void(const TableRow&)>& visit) const {
  TableParser parser(separator_, [&](const TableRow& row) {
    if (row.offset == header_offset_) return;
    if (row.cells.size() == header_.size()) return visit(row);
    check_cells(row);
    visit({row.cells.first(header_.size()), row.line, row.offset});
  });
  feed(parser);
}

// Empty cells behind the last column are a habit of spreadsheets.
void TableFile::check_cells(const TableRow& row) const {
  const size_t names = header_.size(), cells = row.cells.size();
  const auto extra = row.cells.subspan(std::min(cells, names));
  if (cells > names && std::ranges::all_of(extra, [](std::string_view c) { return c.empty(); }))
    return;
  const std::string message = fmt::format("{} cell{}, but the header names {} column{}", cells,
                                          cells == 1 ? "" : "s", names, names == 1 ? "" : "s");
  throw error("data.cells", message,
              cells > names ? "put cells that contain the separator in quotes"
                            : "fill up the row, or leave it out; is the file cut short?",
              row, cells > names ? names : cells - 1);
}

// Parses the row again byte by byte: libcsv says when a cell is over, not where it began.
TableFile::Extent TableFile::cell_extent(size_t row_offset, size_t column) const {
  const std::string_view text = text_, blanks = " \r\n";
  TableParser parser(separator_, nullptr);
  Extent extent{row_offset, text.size()};
  for (size_t at = row_offset; at < text.size(); ++at) {
    const size_t before = parser.all_cells();
    if (!parser.feed_bytes(text.substr(at, 1), at)) break;
    if (parser.all_cells() == before) continue;
    extent.end = at;
    if (before == column) break;
    extent = {at + 1, text.size()};
  }
  while (extent.begin < extent.end && blanks.find(text[extent.begin]) != blanks.npos)
    ++extent.begin;
  while (extent.end > extent.begin && blanks.find(text[extent.end - 1]) != blanks.npos)
    --extent.end;
  return extent;
}

Place TableFile::place(Extent extent) const {
  const std::string_view text = text_;
  size_t line_begin = 0;
  int line = 1;
  for (size_t i = 0; i < extent.begin; ++i) {
    if (text[i] != '\n' && !(text[i] == '\r' && text.substr(i + 1, 1) != "\n")) continue;
    ++line;
    line_begin = i + 1;
  }
  const size_t line_end = std::min(text.find_first_of("\r\n", extent.begin), text.size());
  const size_t end = std::clamp(extent.end, extent.begin, std::max(line_end, extent.begin));
  const std::string_view before = text.substr(line_begin, extent.begin - line_begin);
  const std::string shown =
      printable(text.substr(line_begin, std::min(end + kShownBytes, line_end) - line_begin));
  // Only the offending line is kept; those before it are blank.
  auto source = std::make_shared<const Source>(
      Source{path_, std::string(static_cast<size_t>(line - 1), '\n') + shown});
  const size_t length = characters(printable(text.substr(extent.begin, end - extent.begin)));
  return {std::move(source), line, static_cast<int>(characters(printable(before))) + 1,
          static_cast<int>(std::max<size_t>(1, length))};
}

Error TableFile::error(const std::string& code, const std::string& message, const std::string& help,
                       const TableRow& row, size_t column) const {
  return Error(code, message, help, place(cell_extent(row.offset, column)));
}

Error TableFile::header_error(const std::string& code, const std::string& message,
                              const std::string& help, std::optional<size_t> column) const {
  return Error(code, message, help, place(cell_extent(header_offset_, column.value_or(0))));
}

}  // namespace assay
