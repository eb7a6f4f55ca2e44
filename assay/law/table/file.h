// A table of values separated by commas, semicolons or tabs: its header, its rows, and where in the
// file a cell stands.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/core/error.h"
#include "assay/law/table/parser.h"

namespace assay {

/// RFC 4180 with what spreadsheets write: quoted cells with separators, quotes and line ends in
/// them, LF, CRLF or CR, a UTF-8 byte-order mark, blank lines, and `,`, `;` or tab between cells,
/// whichever the header has most of.
class TableFile {
 public:
  /// Reads the whole file. Throws Error data.missing_file, data.folder, data.empty, data.binary,
  /// data.header (values where names should be), data.quote; store.read.
  explicit TableFile(const std::filesystem::path& path);

  const std::vector<std::string>& header() const { return header_; }
  char separator() const { return separator_; }

  /// Every row after the header, cut or checked to the header's number of cells; blank ones are
  /// passed over. Throws Error data.quote, data.cells (too many or too few), and what `visit`
  /// throws.
  void for_each_row(const std::function<void(const TableRow&)>& visit) const;

  /// An error that points at a cell.
  Error error(const std::string& code, const std::string& message, const std::string& help,
              const TableRow& row, size_t column) const;
  /// An error that points at a name in the header, or at its beginning.
  Error header_error(const std::string& code, const std::string& message, const std::string& help,
                     std::optional<size_t> column = {}) const;

 private:
  struct Extent {
    size_t begin = 0, end = 0;  // bytes of text_
  };
  void check_is_text() const;
  void read_header();
  void feed(TableParser& parser) const;
  void check_cells(const TableRow& row) const;
  Extent cell_extent(size_t row_offset, size_t column) const;
  Place place(Extent extent) const;

  std::string path_, text_;  // the text without byte-order mark
  char separator_ = ',';
  std::vector<std::string> header_;
  size_t header_offset_ = 0;
};

/// Of an error about a file as a whole.
Place whole_file(const std::filesystem::path& path);

/// For messages: in backticks, at most 40 characters, printable, always valid UTF-8.
std::string in_backticks(std::string_view text);

}  // namespace assay
