"""The page as a whole: complete, offline, escaped, the same bytes again, and drawn by a browser."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quant_assets.quant.leaks.report import Leak, LeakReport
from quant_assets.reporting.strategy.report import FIGURES, render_strategy_report
from quant_assets_tests.reporting.strategy.runs import (
    random_bars,
    report,
    surface,
    trials,
    walked,
)
from quant_assets_tests.reporting.test_browser import BROWSER, FLAGS

pytestmark = pytest.mark.slow

SECTIONS = [
    "summary", "assumptions", "leaks", "price", "equity", "monthly", "trades", "excursions",
    "exposure", "costs", "symbols", "audit", "parameters", "walk-forward", "survival", "vault",
    "diff", "monte-carlo", "all-figures", "provenance",
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
        walk_equity=pd.DataFrame(
            {"equity": np.linspace(1e5, 9e4, 100), "window": np.repeat([0, 1], 50)},
            index=ts[60:160],
        ),
        cost_surface=surface(),
        capacity=pd.DataFrame({"capital": [1e3, 1e4, 1e5], "sharpe": [1.0, 0.9, 0.5]}),
        capacity_note="Capacity: 100,000.",
        vault=pd.DataFrame(
            {
                "part": ["before", "sealed"],
                "first": ts[[0, 200]],
                "last": ts[[199, 259]],
                "n_bars": [200, 60],
                "total_return": [0.5, -0.25],
                "sharpe": [1.5, -0.75],
                "max_drawdown": [-0.1, -0.3],
                "n_trades": [30, 7],
            }
        ),
        vault_note="Look number 2 at these months.",
        diff=pd.DataFrame(
            {
                "part": ["strategy.stop", "capital"],
                "total_return": [0.2, 0.21],
                "step": [0.05, 0.01],
                "alone": [0.05, 0.004],
                "interaction": [0.0, 0.006],
                "first_change": [ts[7], pd.NaT],
                "n_trades": [40, 40],
            }
        ),
        diff_note="From crossing 0.9.0 to this run.",
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
    names = ("report", "sweep", "walk-forward", "costs", "vault", "diff", "monte-carlo")
    for command in names:
        assert f"The command is: quant-assets strategy {command}" in bare
    assert re.findall(r'<section id="([\w-]+)"', bare)[-3:] == [
        "not-done", "all-figures", "provenance",
    ]  # fmt: skip
    assert 'id="vault"' not in bare


def test_same_run_gives_the_same_bytes(page: str):
    assert render_strategy_report(whole_report()) == page


def test_page_asks_nothing_of_the_network_and_has_plotly_once(page: str):
    assert "default-src &#39;none&#39;" in page
    assert page.count("plotly.js v") == 1
    outside = page[: page.index("<script>/")]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', outside)


def test_figures_are_json_that_ends_no_script(page: str):
    blocks = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', page)
    assert {name for name, _ in blocks} >= {"figure-price-data", "price-choice-1"}
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


def test_evidence_stands_in_its_tables(page: str):
    rows = {
        name: re.findall(r"<td[^>]*>([^<]*)</td>", section_of(page, name))
        for name in ("vault", "diff")
    }
    assert rows["vault"][:8] == [
        "before", "2024-01-01", "2024-07-18", "200", "50.00%", "1.50", "−10.00%", "30",
    ]  # fmt: skip
    assert rows["diff"][7:] == ["capital", "21.00%", "+1.00%", "+0.40%", "+0.60%", "—", "40"]
    assert "Look number 2 at these months." in section_of(page, "vault")
    assert "From crossing 0.9.0 to this run." in section_of(page, "diff")
    assert "Capacity: 100,000." in section_of(page, "survival")


def section_of(page: str, name: str) -> str:
    return page.partition(f'<section id="{name}">')[2].partition("</section>")[0]


def test_benchmark_stands_beside_the_equity_and_in_the_figures():
    ts = random_bars().ts
    returns = np.full(len(ts), 0.001)
    text = render_strategy_report(report(benchmark=returns, facts={"benchmark": "SPX"}))
    grown = 100 * (1.001 ** len(ts) - 1)
    assert f"The benchmark, SPX, made +{grown:.1f}% meanwhile" in text
    data = re.search(r'id="figure-equity-data">(.*?)</script>', text)
    assert data is not None
    (line,) = [one for one in json.loads(data[1])["data"] if one["name"] == "SPX"]
    assert line["y"][-1] == pytest.approx(1e5 * 1.001 ** len(ts), rel=1e-5)
    head = section_of(text, "all-figures").partition("</thead>")[0]
    assert ">Benchmark</th>" in head


def test_report_of_many_symbols_over_years_stays_small():
    names = tuple(f"S{number:03}" for number in range(100))
    text = render_strategy_report(report(bars=random_bars(names, n=1461)))
    assert len(text.encode()) < 15e6


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_filters_and_zoom_work_in_a_browser(page: str, tmp_path: Path):
    """The page's own policy would refuse this test's script: it is taken out of the copy."""
    script = """
    setTimeout(function () {
      var say = function (name, value) {
        var note = document.createElement("p"); note.id = name; note.textContent = value;
        document.body.appendChild(note);
      };
      var selects = document.querySelectorAll("#trade-filters select");
      var pick = function (at, value) {
        selects[at].value = value; selects[at].dispatchEvent(new Event("change"));
      };
      pick(0, "BBB"); say("of-symbol", document.getElementById("trade-sum").textContent);
      pick(3, "1"); say("won-of-symbol", document.getElementById("trade-sum").textContent);
      var price = document.getElementById("figure-price");
      var before = price._fullLayout.yaxis.range.slice();
      Plotly.relayout(price, { "xaxis.range": ["2024-02-01", "2024-02-20"] }).then(function () {
        setTimeout(function () {
          var now = price._fullLayout.yaxis.range;
          say("zoomed", JSON.stringify([before, now]));
          var chooser = document.getElementById("price-symbol");
          chooser.selectedIndex = 1; chooser.dispatchEvent(new Event("change"));
          setTimeout(function () {
            say("chosen", price._fullLayout.yaxis.title.text);
            chooser.selectedIndex = 0; chooser.dispatchEvent(new Event("change"));
            setTimeout(function () { say("again", price._fullLayout.yaxis.title.text); }, 500);
          }, 500);
        }, 500);
      });
    }, 6000);
    """
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    path = tmp_path / "page.html"
    path.write_text(open_page.replace("</body>", f"<script>{script}</script></body>"), "utf-8")
    dom = subprocess.run(
        [str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    said = dict(re.findall(r'<p id="([\w-]+)">([^<]*)</p>', dom))
    result = whole_report().result
    mine = result.trades[result.trades["symbol"] == "BBB"]
    won = mine[mine["pnl"] > 0]
    assert said["of-symbol"].startswith(f"{len(mine)} trades, ")
    assert said["of-symbol"].endswith(f"{mine['pnl'].sum():,.2f}".replace("-", "−"))
    assert said["won-of-symbol"].startswith(f"{len(won)} trades, 100% won")
    before, now = json.loads(said["zoomed"])
    symbol = re.findall(r'<option value="\d">(\w+)</option>', page)[0]
    bars = result.preparation.bars
    inside = (bars.ts >= np.datetime64("2024-02-01")) & (bars.ts <= np.datetime64("2024-02-20"))
    column = bars.symbols.index(symbol)
    low, high = np.nanmin(bars.low[inside, column]), np.nanmax(bars.high[inside, column])
    assert before[0] < now[0] <= low < high <= now[1] < before[1]
    assert said["again"] == symbol
    assert said["chosen"] == re.findall(r'<option value="\d">(\w+)</option>', page)[1]


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
    assert drawn == {f"figure-{name}" for name in ("price", *FIGURES)}
    trades = whole_report().result.trades
    total = f"{trades['pnl'].sum():,.2f}".replace("-", "−")
    assert f"{len(trades)} trades, " in dom
    assert f"result {total}</output>" in dom
