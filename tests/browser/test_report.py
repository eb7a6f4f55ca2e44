"""The page as a reader meets it: drawn, offline, without errors, and true to its own data."""

import json
import math

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture(scope="module")
def page(browser, report_folder):
    browser.get((report_folder / "report.html").as_uri())
    WebDriverWait(browser, 60).until(
        lambda b: b.execute_script("return document.documentElement.dataset.charts"))
    return browser


@pytest.fixture(scope="module")
def data(page):
    text = page.execute_script("return document.getElementById('assay-data').textContent")
    return json.loads(text)


@pytest.fixture(scope="module")
def logs(page):
    """Reading empties them: once for all tests."""
    return {"browser": page.get_log("browser"), "performance": page.get_log("performance")}


def test_charts_are_drawn_without_console_output(page, logs):
    assert page.execute_script("return document.documentElement.dataset.charts") == "drawn"
    assert logs["browser"] == []


def test_nothing_is_requested_but_the_page(logs):
    urls = []
    for entry in logs["performance"]:
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
    outside = [url for url in urls if not url.startswith(("data:", "blob:"))]
    assert len(outside) == 1 and outside[0].startswith("file:") and outside[0].endswith("report.html")


def test_every_panel_has_a_drawing_with_points(page, data):
    charts = page.execute_script("""
      return [...document.querySelectorAll('.chart')].map(c => ({
        figure: c.dataset.figure, panel: Number(c.dataset.panel),
        svg: c.querySelectorAll('svg.main-svg').length,
        drawn: c.querySelectorAll('.scatterlayer .trace').length,
        names: (c.data || []).filter(t => t.name).map(t => t.name),
        points: (c.data || []).map(t => t.y.filter(v => v !== null).length),
        width: c.getBoundingClientRect().width}))""")
    assert len(charts) == sum(len(f["panels"]) for f in data["figures"]) > 10
    figures = {f["id"]: f for f in data["figures"]}
    for chart in charts:
        panel = figures[chart["figure"]]["panels"][chart["panel"]]
        assert chart["svg"] >= 1 and chart["drawn"] >= 1 and chart["width"] > 250, chart
        assert chart["names"] == [s["label"] for s in panel["series"]]
        assert sum(chart["points"]) > 0


def test_drawn_points_are_the_data(page, data):
    """Linear axes: what Plotly holds is what the JSON says; nothing is clamped or dropped."""
    figures = {f["id"]: f for f in data["figures"]}
    for index, panel in enumerate(figures["outcome"]["panels"]):
        traces = page.execute_script(
            "return document.querySelector(`.chart[data-figure='outcome'][data-panel='${arguments[0]}']`)"
            ".data.filter(t => t.name).map(t => t.y)", index)
        for series, drawn in zip(panel["series"], traces, strict=True):
            assert drawn == [mark["value"] for mark in series["marks"]]


def test_symlog_axis_keeps_negative_values(page, data):
    panel = next(f for f in data["figures"] if f["id"] == "snr")["panels"][0]
    width = panel["linear_width"]
    traces = page.execute_script(
        "return document.querySelector(`.chart[data-figure='snr'][data-panel='0']`)"
        ".data.filter(t => t.name).map(t => t.y)")
    negatives = 0
    for series, drawn in zip(panel["series"], traces, strict=True):
        for mark, y in zip(series["marks"], drawn, strict=True):
            back = y * width if abs(y) <= 1 else math.copysign(width * 10 ** (abs(y) - 1), y)
            assert back == pytest.approx(mark["value"], rel=1e-9)
            negatives += mark["value"] < 0
    assert negatives > 0


def test_tables_agree_with_the_embedded_data(page, data):
    """Row by row: value, low and high of every mark, to full precision."""
    for figure in data["figures"]:
        rows = page.execute_script("""
          return [...document.querySelectorAll(`#table-${arguments[0]} tbody tr`)].map(
            r => [...r.children].map(c => ({text: c.textContent, value: c.dataset.value ?? null})))""",
                                   figure["id"])
        marks = [(panel["title"], series["label"], mark) for panel in figure["panels"]
                 for series in panel["series"] for mark in series["marks"]]
        assert len(rows) == len(marks) > 0
        for row, (title, label, mark) in zip(rows, marks, strict=True):
            assert row[0]["text"] == title and row[1]["text"] == label
            for cell, key in zip(row[3:6], ("value", "low", "high"), strict=True):
                shown = None if cell["value"] is None else float(cell["value"])
                assert shown == mark[key], (figure["id"], label, key)
            if mark["value"] is None:
                assert mark["note"] in row[6]["text"]


def test_page_and_json_are_one(data, report_folder):
    assert data == json.loads((report_folder / "report.json").read_text())


def test_every_figure_has_title_caption_and_table(page):
    figures = page.find_elements(By.CSS_SELECTOR, "figure")
    assert figures
    for figure in figures:
        assert len(figure.find_element(By.TAG_NAME, "h3").text) > 20
        caption = figure.find_element(By.TAG_NAME, "figcaption").text
        assert "95%" in caption or "interval" in caption
        assert figure.find_elements(By.CSS_SELECTOR, "details table")


def test_failures_are_in_plain_sight(page):
    text = page.find_element(By.TAG_NAME, "main").text
    assert "Only 9 of 12 trials completed (1 diverged, 1 failed, 1 missing)" in text
    assert "loss is NaN at step 241" in text and "out of memory" in text
    assert "not learned at this budget" in text


def test_labels_do_not_cover_each_other_or_leave_the_chart(page):
    boxes = page.execute_script("""
      return [...document.querySelectorAll('.chart')].map(c => ({
        outer: c.getBoundingClientRect().toJSON(),
        labels: [...c.querySelectorAll('.annotation text')].map(t => t.getBoundingClientRect().toJSON())}))""")
    for chart in boxes:
        labels = sorted(chart["labels"], key=lambda b: b["top"])
        for upper, lower in zip(labels, labels[1:]):
            assert lower["top"] >= upper["top"] + 9
        for label in labels:
            assert label["bottom"] <= chart["outer"]["bottom"]


def test_toggle_changes_page_and_charts(page):
    def colours():
        return page.execute_script("""
          const chart = document.querySelector('.chart');
          return [getComputedStyle(document.body).backgroundColor, chart.layout.font.color,
                  getComputedStyle(chart.querySelector('.xtick text')).fill]""")
    light = colours()
    button = page.find_element(By.ID, "theme")
    button.click()
    WebDriverWait(page, 10).until(lambda b: colours()[2] != light[2])
    dark = colours()
    assert all(a != b for a, b in zip(light, dark, strict=True))
    button.click()
    WebDriverWait(page, 10).until(lambda b: colours() == light)


def test_controls_are_reached_by_keyboard(page):
    reached = page.execute_script("""
      return [...document.querySelectorAll('button, summary, .scroll')].filter(e => e.tabIndex < 0).length""")
    assert reached == 0
