"""Any report, named by ASSAY_REPORT: it opens, draws everything, asks for nothing and complains of nothing."""

import json
import os
import pathlib

import pytest
from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture(scope="module")
def given(browser):
    path = os.environ.get("ASSAY_REPORT")
    if not path:
        pytest.skip("ASSAY_REPORT names no report")
    browser.get(pathlib.Path(path).resolve().as_uri())
    WebDriverWait(browser, 60).until(
        lambda b: b.execute_script("return document.documentElement.dataset.charts"))
    return browser


def test_it_draws_without_errors_and_without_requests(given):
    assert given.execute_script("return document.documentElement.dataset.charts") == "drawn"
    assert given.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in given.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"]
    assert [u for u in urls if not u.startswith(("file:", "data:", "blob:"))] == []


def test_every_chart_holds_points(given):
    points = given.execute_script(
        "return [...document.querySelectorAll('.chart')].map(c => (c.data || []).flatMap(t => t.y)"
        ".filter(v => v !== null).length)")
    assert len(points) > 0 and min(points) > 0
