"""The page as a whole: complete, offline, escaped, the same bytes again, and drawn by a browser."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.leaks.report import Leak, LeakReport
from quant_assets.reporting.strategy.report import render_strategy_report
from quant_assets_tests.reporting.strategy.runs import random_bars, report, trials, walked
from quant_assets_tests.reporting.test_browser import BROWSER, FLAGS

pytestmark = pytest.mark.slow

SECTIONS = [
    "summary", "assumptions", "leaks", "price", "equity", "monthly", "trades", "excursions",
    "exposure", "costs", "symbols", "audit", "parameters", "walk-forward", "monte-carlo",
    "all-figures", "provenance",
]  # fmt: skip


def whole_report():
    ts = pd.date_range("2024-01-01", periods=260, freq="D", tz="UTC", name="ts")
    levels = {"q05": 9e4, "q25": 9.5e4, "q50": 1e5, "q75": 1.05e5, "q95": 1.1e5}
    figures = {"kind": ["trade_order"], "figure": ["max_drawdown"], "observed": [-0.1]}
    audit = {"final_equity": 1e5, "total_return": 0.0, "sharpe": 1.0, "max_drawdown": -0.1}
    return report(
        leaks=LeakReport("strategy", (), outputs=("entry_long",), probes=("noise from row 3",)),
        trials=trials(),
        objective="sharpe",
        scores="Deflated Sharpe ratio of the best: 0.50.",
        walk_forward=walked(),
        walk_objective="calmar",
        bands=pd.DataFrame(levels, index=ts),
        bands_note="Drawn in blocks.",
        monte_carlo=pd.DataFrame({**figures, "lower": [-0.2], "median": [-0.1], "upper": [0.0]}),
        audit=pd.DataFrame({**audit, "n_trades": 4}, index=["optimistic", "default"]).rename_axis(
            "execution"
        ),
    )


@pytest.fixture(scope="module")
def page() -> str:
    return render_strategy_report(whole_report())


def test_page_has_every_section_in_order(page: str):
    assert re.findall(r'<section id="([\w-]+)"', page) == SECTIONS
    assert "Nothing to show" not in page


def test_absent_evidence_is_named_with_the_command_that_makes_it():
    bare = render_strategy_report(report())
    assert "It was not checked for look-ahead." in bare
    for command in ("report", "sweep", "walk-forward"):
        assert f"The command is: quant-assets strategy {command}" in bare


def test_same_run_gives_the_same_bytes(page: str):
    assert render_strategy_report(whole_report()) == page


def test_page_asks_nothing_of_the_network_and_has_plotly_once(page: str):
    assert "default-src &#39;none&#39;" in page
    assert page.count("plotly.js v") == 1
    outside = page[: page.index("<script>/")]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', outside)


def test_figures_are_json_that_ends_no_script(page: str):
    blocks = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', page)
    assert {name for name, _ in blocks} >= {"figure-price-data", "price-choice-0", "price-choice-1"}
    for _, text in blocks:
        assert json.loads(text)["layout"]["height"] > 0


def test_hostile_names_stay_text():
    name = "<img src=x onerror=alert(1)>"
    bars = random_bars((name, "BBB"))
    text = render_strategy_report(report(bars=bars, facts={"universe": "</script><b>x"}))
    body = text[: text.index("<script>/")]
    assert "<img" not in body
    assert "</script><b>" not in body
    assert "&lt;img src=x" in body


def test_leak_stands_in_the_first_sentence_and_among_the_assumptions():
    leak = Leak(
        "signals", "noise", 3, "2024-01-04", 2, "2024-01-03", "AAA", 1, 1, "1", "0", "It is."
    )
    text = render_strategy_report(report(leaks=LeakReport("s", (leak,), outputs=("signals",))))
    assert "Do not trust it: the leak check says leak." in text
    assert "<b>NOT TRUSTED</b>" in text
    assert "2024-01-03" in text


def test_gap_profit_is_told_in_money(page: str):
    trades = whole_report().result.trades
    gaps = trades[trades["spans_gap"]]
    assert len(gaps) > 0
    shown = f"{abs(gaps['pnl'].sum()):,.2f}"
    assert re.search(rf"Gap profit: {len(gaps)} trades? held .* made\s+[−]?{shown}", page)


def test_run_without_trades_has_a_page():
    bars = random_bars(("AAA",), n=12)
    assert "no order was filled" in render_strategy_report(report(bars=bars))


def test_every_number_of_the_cards_is_that_of_the_run(page: str):
    result = whole_report().result
    cards = dict(
        re.findall(r'card-label">([^<]+)</div>\s*<div class="card-value">([^<]+)</div>', page)
    )
    equity = result.equity["equity"].to_numpy()
    returns = np.diff(np.r_[result.initial_capital, equity]) / np.r_[1e5, equity[:-1]]
    sharpe = returns.mean() / returns.std(ddof=1) * np.sqrt(result.periods_per_year)
    assert cards["Sharpe ratio"] == f"{sharpe:.2f}".replace("-", "−")
    total = 100 * (equity[-1] / 1e5 - 1)
    assert cards["Total return"] == f"{total:.2f}%".replace("-", "−")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_browser_draws_all_charts_and_sums_the_trades(page: str, tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    dom = subprocess.run(
        [str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    drawn = set(re.findall(r'id="(figure-\w+)"[^>]*class="[^"]*js-plotly-plot', dom))
    drawn |= set(re.findall(r'class="[^"]*js-plotly-plot[^"]*"[^>]*id="(figure-\w+)"', dom))
    names = ("price", "equity", "exposure", "costs", "excursions", "parameters", "windows", "bands")
    assert drawn == {f"figure-{name}" for name in names}
    trades = whole_report().result.trades
    total = f"{trades['pnl'].sum():,.2f}".replace("-", "−")
    assert f"{len(trades)} trades, " in dom
    assert f"result {total}</output>" in dom
