"""The page in a real browser, under its own content security policy."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from quant_assets.reporting.inputs import TearSheetInputs
from quant_assets.reporting.tear_sheet import render_tear_sheet

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--virtual-time-budget=20000",
    "--window-size=1280,2000",
    "--dump-dom",
]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_page_draws_all_charts_under_its_policy(inputs: TearSheetInputs, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render_tear_sheet(inputs), encoding="utf-8")
    dom = subprocess.run(
        [str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    drawn = set(re.findall(r'id="(figure-\w+)"[^>]*class="[^"]*js-plotly-plot', dom))
    drawn |= set(re.findall(r'class="[^"]*js-plotly-plot[^"]*"[^>]*id="(figure-\w+)"', dom))
    names = ("bands", "equity", "rolling", "costs", "weights", "signals")
    assert drawn == {f"figure-{n}" for n in names}
    assert re.search(r'<button[^>]*aria-pressed="true"', dom)
