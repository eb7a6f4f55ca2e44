// Assembles the page. Everything but the charts is plain HTML that reads without scripts.
#include "assay/report/page.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/report/assets.h"
#include "assay/report/text.h"

namespace assay::report {
namespace {

std::string cells_html(const std::vector<TableCell>& row) {
  std::string out = "<tr>";
  for (size_t i = 0; i < row.size(); ++i) {
    const TableCell& cell = row[i];
    std::string classes = std::isfinite(cell.value) ? "number" : "";
    if (std::isfinite(cell.heat)) classes += " heat";
    if (!cell.tone.empty()) classes += (classes.empty() ? "" : " ") + cell.tone;
    std::string attributes = classes.empty() ? "" : fmt::format(" class=\"{}\"", classes);
    if (std::isfinite(cell.heat)) attributes += fmt::format(" style=\"--heat:{:.2f}\"", cell.heat);
    if (std::isfinite(cell.value)) attributes += fmt::format(" data-value=\"{}\"", cell.value);
    out += i == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", attributes, escape_html(cell.text))
                  : fmt::format("<td{}>{}</td>", attributes, escape_html(cell.text));
  }
  return out + "</tr>\n";
}

/// The bare <table>, in a box that scrolls sideways and can be reached by keyboard.
std::string table_html(const Table& table) {
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table "
      "id=\"table-{}\"><thead><tr>",
      escape_html(table.title.empty() ? "Numbers of the figure" : table.title), table.id);
  for (const std::string& column : table.columns)
    out += fmt::format("<th scope=\"col\">{}</th>", escape_html(column));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) out += cells_html(row);
  return out + "</tbody></table></div>\n";
}

std::string table_section(const Table& table, bool folded) {
  if (table.rows.empty()) return "";
  const std::string caption = table.caption.empty() ? ""
                                                    : fmt::format("<p class=\"caption\">{}</p>\n",
                                                                  escape_html(table.caption));
  if (folded)
    return fmt::format("<details><summary>{}</summary>\n{}{}</details>\n", escape_html(table.title),
                       caption, table_html(table));
  return fmt::format("<h3>{}</h3>\n{}{}", escape_html(table.title), caption, table_html(table));
}

std::string figure_html(const Figure& figure) {
  std::string panels;
  for (size_t i = 0; i < figure.panels.size(); ++i) {
    const Panel& panel = figure.panels[i];
    panels += fmt::format(
        "<div class=\"panel\"><h4>{}</h4><div class=\"chart\" role=\"img\" aria-label=\"{}: {}; "
        "numbers in the table below\" data-figure=\"{}\" data-panel=\"{}\"></div></div>\n",
        escape_html(panel.title), escape_html(panel.y_title), escape_html(panel.title), figure.id,
        i);
  }
  return fmt::format(
      "<figure id=\"figure-{0}\" role=\"group\" aria-labelledby=\"title-{0}\">\n<h3 "
      "id=\"title-{0}\">{1}</h3>\n"
      "<div class=\"legend\" data-legend=\"{0}\"></div>\n<div class=\"panels\" "
      "data-count=\"{5}\">\n{2}</div>\n"
      "<figcaption>{3}</figcaption>\n<details><summary>Table: the same "
      "numbers</summary>\n{4}</details>\n"
      "</figure>\n",
      figure.id, escape_html(figure.title), panels, escape_html(figure.caption),
      table_html(table_of(figure)), figure.panels.size());
}

std::string figures_html(const Content& content, const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids)
    for (const Figure& figure : content.figures)
      if (figure.id == id) out += figure_html(figure);
  return out;
}

std::string list_html(const std::vector<std::string>& items, const std::string& empty) {
  if (items.empty()) return fmt::format("<p class=\"quiet\">{}</p>\n", escape_html(empty));
  std::string out = "<ul>\n";
  for (const std::string& item : items) out += fmt::format("<li>{}</li>\n", escape_html(item));
  return out + "</ul>\n";
}

/// Long lists open on demand: 26 objectives have 325 pairs.
std::string evidence_html(const std::vector<std::string>& items) {
  constexpr size_t kMost = 8, kShown = 6;
  if (items.size() <= kMost) return list_html(items, "none");
  const auto split = items.begin() + kShown;
  return list_html({items.begin(), split}, "none") +
         fmt::format("<details><summary>{} more</summary>\n{}</details>\n", items.size() - kShown,
                     list_html({split, items.end()}, "none"));
}

std::string claim_html(const Claim& claim) {
  return fmt::format(
      "<div class=\"claim\"><h3>{}</h3><div class=\"sides\">"
      "<div class=\"for\"><h4>Evidence for ({})</h4>{}</div>"
      "<div class=\"against\"><h4>Evidence against ({})</h4>{}</div>"
      "<div class=\"open\"><h4>Cannot tell ({})</h4>{}</div></div></div>\n",
      escape_html(claim.text), claim.in_favour.size(), evidence_html(claim.in_favour),
      claim.against.size(), evidence_html(claim.against), claim.open.size(),
      evidence_html(claim.open));
}

std::string verdict_html(const ReportData& data, const Content& content) {
  std::string out = "<section id=\"verdict\" class=\"box\" aria-label=\"Verdict\">\n";
  out += fmt::format("<p class=\"kicker\">The question</p>\n<p class=\"question\">{}</p>\n",
                     escape_html(data.study.question.empty() ? "(the study states no question)"
                                                             : data.study.question));
  out += "<p class=\"kicker\">What the data say</p>\n";
  for (const std::string& sentence : content.verdict.sentences)
    out += fmt::format("<p>{}</p>\n", escape_html(sentence));
  if (!content.verdict.claims.empty()) {
    out += "<p class=\"kicker\">Claims, for and against</p>\n";
    for (const Claim& claim : content.verdict.claims) out += claim_html(claim);
    out +=
        "<p class=\"caption\">Figures in brackets are 95% intervals. Two values count as different "
        "only when their intervals do not overlap; everything else stands under \"cannot "
        "tell\".</p>\n";
  }
  return out + "</section>\n";
}

std::string section(const std::string& id, const std::string& title, const std::string& body) {
  if (body.empty()) return "";
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, title, body);
}

std::string reproduce_html(const ReportData& data, const Content& content) {
  std::string out =
      "<p>With the study file below saved as <code>study.toml</code>:</p>\n<pre tabindex=\"0\">";
  for (const std::string& command : content.commands) out += escape_html(command) + "\n";
  out += "</pre>\n";
  if (!data.study.toml.empty())
    out += fmt::format(
        "<details><summary>The study file</summary>\n<pre tabindex=\"0\">{}</pre></details>\n",
        escape_html(data.study.toml));
  return out + table_section(content.environment, true) + table_section(content.seeds, true);
}

std::string sections_html(const ReportData& data, const Content& content) {
  return section("study", "The study",
                 table_section(content.card, false) + table_section(content.trials, true)) +
         section("learned", "What was learned",
                 figures_html(content, {"outcome", "gain", "factors"}) +
                     table_section(content.factors, true)) +
         section("signal", "Signal and noise of the objectives",
                 figures_html(content, {"snr", "snr_per_flop", "share", "level", "band", "layer",
                                        "metric", "alignment"}) +
                     table_section(content.variance, true) + table_section(content.layers, false) +
                     table_section(content.noise_differences, false)) +
         section("demand-section", "What the objectives ask for",
                 figures_html(content, {"demand", "demand_levels"}) +
                     table_section(content.demand, true)) +
         section("drive-section", "What the next steps teach",
                 figures_html(content, {"drive", "drive_factors"}) +
                     table_section(content.drive, true)) +
         section(
             "laws", "Scaling laws",
             figures_html(content, {"law", "exponents"}) + table_section(content.laws, false) +
                 table_section(content.law_differences, true) +
                 figures_html(content, {"allocation", "law_holdout", "law_residuals", "own_law"})) +
         section("loss", "Held-out loss", figures_html(content, {"loss"})) +
         section("limits", "Limits and diagnostics",
                 list_html(content.limits, "Nothing to report.")) +
         section("cost-section", "Cost", table_section(content.cost, false)) +
         section("reproduce", "How to reproduce", reproduce_html(data, content));
}

/// JSON inside a <script>: a "<" can end the element or open a comment, and only strings hold one.
std::string script_json(const nlohmann::json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string header_html(const ReportData& data) {
  return fmt::format(
      "<header><div><p class=\"kicker\">Assay report</p><h1>{}</h1></div>"
      "<div class=\"tools\"><button id=\"theme\" type=\"button\">Dark</button>"
      "<button id=\"download\" type=\"button\">Download data</button></div></header>\n"
      "<noscript><p class=\"warning\">Charts need JavaScript; every figure's table holds its "
      "numbers.</p>"
      "</noscript>\n<p id=\"no-charts\" class=\"warning\" hidden></p>\n",
      escape_html(data.study.name.empty() ? "unnamed study" : data.study.name));
}

}  // namespace

std::string page(const ReportData& data, const Content& content) {
  std::string out;
  out.reserve(plotly_packed().size() + (1u << 20));
  out +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n";
  out += fmt::format("<title>{} – Assay report</title>\n", escape_html(data.study.name));
  out += "<style>\n";
  out += style_sheet();
  out += "</style>\n</head>\n<body>\n<main>\n";
  out += header_html(data);
  out += verdict_html(data, content);
  out += sections_html(data, content);
  out +=
      "<footer>Made by Assay from the study folder alone. Charts: plotly.js, © Plotly, Inc., MIT "
      "licence (its notice is inside the packed script).</footer>\n</main>\n";
  out += "<script type=\"application/json\" id=\"assay-data\">";
  out += script_json(to_json(data, content));
  out += "</script>\n<script type=\"text/plain\" id=\"plotly-packed\">";
  out += plotly_packed();
  out += "</script>\n<script>\n";
  out += chart_script();
  out += "</script>\n<script>\n";
  out += page_script();
  out += "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace assay::report
