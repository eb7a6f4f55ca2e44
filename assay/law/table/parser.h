// Bytes to rows of cells, with the line and the offset at which each row begins.
#pragma once

#include <csv.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// One row of cells, as unquoted text without surrounding blanks. Valid during the visit only.
struct TableRow {
  std::span<const std::string_view> cells;
  int64_t line = 0;   // of the file, 1-based: where the row begins
  size_t offset = 0;  // bytes before the row
};

/// libcsv (Debian's libcsv-dev): strict RFC 4180 with a free choice of separator, in C, by
/// callbacks.
class TableParser {
 public:
  /// `visit` gets every row that is not blank.
  TableParser(char separator, std::function<void(const TableRow&)> visit);
  ~TableParser();
  TableParser(const TableParser&) = delete;
  TableParser& operator=(const TableParser&) = delete;

  /// Feed from `offset` to the end of its line. False at a stray quote, which stands at offset().
  /// Throws what `visit` throws.
  bool feed_line(std::string_view text, size_t offset);
  bool feed_bytes(std::string_view bytes, size_t offset);
  /// The end of the file. False if a quote is still open.
  bool finish();

  size_t offset() const { return offset_; }          // behind what was fed
  size_t row_offset() const { return row_offset_; }  // of the row that was begun last
  size_t cells() const { return ends_.size(); }      // of that row, whole ones so far
  size_t all_cells() const { return all_cells_; }    // whole ones of all rows

 private:
  template <class Work>
  static void guarded(void* self, Work work);
  static void on_cell(void* bytes, size_t size, void* self);
  static void on_row(int terminator, void* self);
  void end_row();
  void rethrow();

  csv_parser parser_{};
  std::function<void(const TableRow&)> visit_;
  std::exception_ptr failure_;
  std::string bytes_;         // of the row's cells, one behind the other
  std::vector<size_t> ends_;  // of the cells in bytes_
  std::vector<std::string_view> cells_;
  int64_t line_ = 0, row_line_ = 0;
  size_t offset_ = 0, row_offset_ = 0, all_cells_ = 0;
  bool inside_row_ = false;
};

}  // namespace assay
