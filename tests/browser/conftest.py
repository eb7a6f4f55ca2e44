"""A synthetic report in headless Chromium."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_tool(name):
    folder = os.environ.get("ASSAY_BIN", str(ROOT / "build" / "bin"))
    path = pathlib.Path(folder) / name
    return path if path.exists() else None


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory):
    """The study folder with report.html and report.json; names hold what HTML could trip over."""
    tool = find_tool("write_synthetic_report")
    if tool is None:
        pytest.skip("write_synthetic_report is not built (set ASSAY_BIN to the folder of binaries)")
    folder = tmp_path_factory.mktemp("study")
    subprocess.run([tool, folder, ' </script> "q" & <b>'], check=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def browser():
    selenium = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromium-driver are not installed")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--window-size=1200,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    web = selenium.Chrome(options=options, service=selenium.chrome.service.Service(driver))
    yield web
    web.quit()
