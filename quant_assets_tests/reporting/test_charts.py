import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from quant_assets.reporting.charts import (
    bands_figure,
    costs_figure,
    faded,
    growth_figure,
    label,
    moments,
    rolling_sharpe_figure,
    rounded,
    signals_figure,
    sparkline,
    weights_figure,
)
from quant_assets.reporting.performance import Performance, measure_performance

COLOURS = {"@accent_soft": "rgba(1,2,3,0.1)"}


@pytest.fixture
def performance(frames: dict[str, pd.DataFrame]) -> Performance:
    result = measure_performance(
        frames["equity"], frames["reference_returns"], frames["tournament"]
    )
    assert result is not None
    return result


def _painted(value: Any) -> Any:
    """The figure as the page's script paints it."""
    if isinstance(value, dict):
        return {key: _painted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_painted(item) for item in value]
    return "#123456" if isinstance(value, str) and value.startswith("@") else value


def _trace(figure: dict[str, Any], name: str, **match: Any) -> dict[str, Any]:
    traces = [t for t in figure["data"] if t["name"] == name]
    return next(t for t in traces if all(t.get(k) == v for k, v in match.items()))


def test_every_figure_is_valid_plotly(
    frames: dict[str, pd.DataFrame], performance: Performance
) -> None:
    champion = frames["window_metrics"].loc[frames["window_metrics"]["entrant"] == "champion"]
    held = frames["portfolio_weights"].loc[frames["portfolio_weights"]["entrant"] == "champion"]
    lines = [("champion", performance.focus_returns), ("b", performance.benchmark_returns)]
    figures = [
        growth_figure(performance, initial_equity=1e6, currency="USD"),
        rolling_sharpe_figure(performance.ts, lines, performance.daily()),
        costs_figure(champion),
        weights_figure(held, performance.ts[-1]),
        signals_figure(frames["signal_metrics"]),
        bands_figure(frames["monte_carlo"].query("figure == 'sharpe_ratio'"), "champion"),
    ]
    for figure in figures:
        go.Figure(_painted(figure))  # raises ValueError on any unknown property or bad value
        json.dumps(figure, allow_nan=False)


def test_rounded_values_have_six_significant_digits_and_no_nan() -> None:
    assert rounded(np.array([123456.789, 0.000123456789, -1.0, np.nan])) == [
        123457.0,
        0.000123457,
        -1.0,
        None,
    ]


def test_moments_show_hours_only_where_bars_are_intraday() -> None:
    assert moments(pd.DatetimeIndex(["2024-01-01"], tz="UTC")) == ["2024-01-01"]
    assert moments(pd.DatetimeIndex(["2024-01-01 04:05"], tz="UTC")) == ["2024-01-01 04:05"]


def test_growth_ends_at_compounded_equity(
    frames: dict[str, pd.DataFrame], performance: Performance
) -> None:
    figure = growth_figure(performance, initial_equity=1_000_000.0, currency="USD")
    account = frames["equity"].loc[frames["equity"]["entrant"] == "champion", "equity"]
    assert _trace(figure, "champion")["y"] == rounded(account)


def test_growth_draws_focus_daily_and_others_weekly(performance: Performance) -> None:
    figure = growth_figure(performance, initial_equity=1.0, currency="USD")
    n_days, n_weeks = len(performance.ts), len(performance.weekly())
    assert n_weeks < n_days / 4
    assert len(_trace(figure, "champion")["x"]) == n_days
    assert len(_trace(figure, "benchmark")["x"]) == n_days
    assert len(_trace(figure, "hrp")["x"]) == len(_trace(figure, "hrp")["y"]) == n_weeks


def test_underwater_trace_reaches_the_maximum_drawdown(
    frames: dict[str, pd.DataFrame], performance: Performance
) -> None:
    figure = growth_figure(performance, initial_equity=1.0, currency="USD")
    equity = frames["equity"].loc[frames["equity"]["entrant"] == "champion", "equity"]
    path = np.r_[1e6, equity]
    worst = (path / np.maximum.accumulate(path) - 1).min() * 100
    assert min(_trace(figure, "champion", yaxis="y2")["y"]) == pytest.approx(worst, rel=1e-5)


def test_growth_without_benchmark_draws_none(performance: Performance) -> None:
    alone = Performance(
        performance.ts,
        performance.entrants,
        performance.focus,
        performance.net,
        np.full(len(performance.ts), np.nan),
        performance.risk_free,
        performance.assumed,
    )
    figure = growth_figure(alone, initial_equity=1.0, currency="USD")
    assert "benchmark" not in {trace["name"] for trace in figure["data"]}


def test_costs_are_gross_minus_net_in_basis_points() -> None:
    windows = pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(["2024-01-01", "2024-02-01"], tz="UTC"),
            "gross_return": [0.0123, 0.01],
            "net_return": [0.0120, 0.01],
            "turnover": [0.5, 0.0],
            "partial": [False, True],
        }
    )
    figure = costs_figure(windows)
    assert _trace(figure, "Costs")["y"] == [3.0, 0.0]
    assert _trace(figure, "Turnover")["y"] == [50.0, 0.0]
    assert _trace(figure, "Costs")["marker"]["opacity"] == [1.0, 0.4]


def _weights(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["decided_at", "symbol", "weight"])
    return frame.assign(decided_at=pd.to_datetime(frame["decided_at"], utc=True))


def test_weights_stack_long_up_short_down_and_name_the_cash() -> None:
    figure = weights_figure(
        _weights(
            [
                ("2024-01-01", "A", 0.6),
                ("2024-01-01", "B", -0.2),
                ("2024-02-01", "A", 0.5),
                ("2024-02-01", "B", 0.1),
            ]
        )
    )
    assert _trace(figure, "A")["y"] == [60.0, 50.0]
    assert _trace(figure, "B", stackgroup="long")["y"] == [0.0, 10.0]
    assert _trace(figure, "B", stackgroup="short")["y"] == [-20.0, 0.0]
    assert _trace(figure, "Cash")["y"] == [60.0, 40.0]
    assert figure["layout"]["yaxis"]["range"] == [-20.0, 120.0]


def test_weights_fully_invested_have_no_cash_and_last_until_the_last_bar() -> None:
    figure = weights_figure(
        _weights([("2024-01-01", "A", 1.0)]), pd.Timestamp("2024-01-31", tz="UTC")
    )
    assert [trace["name"] for trace in figure["data"]] == ["A"]
    assert figure["data"][0]["x"] == ["2024-01-01", "2024-01-31"]
    assert figure["data"][0]["y"] == [100.0, 100.0]


def test_weights_beyond_the_largest_are_summed_as_others() -> None:
    rows = [("2024-01-01", f"S{n:02d}", 0.05) for n in range(18)]
    figure = weights_figure(_weights([*rows, ("2024-01-01", "BIG", 0.1)]))
    assert figure["data"][0]["name"] == "BIG"
    assert _trace(figure, "5 others")["y"] == [25.0]


def test_signals_lines_are_trailing_means() -> None:
    ts = pd.date_range("2023-01-01", periods=14, freq="MS", tz="UTC")
    frame = pd.DataFrame({"ts": ts, "signal": "alpha", "rank_ic": np.arange(14) / 20})
    figure = signals_figure(frame)
    line = _trace(figure, "alpha")
    assert line["y"][:5] == [None] * 5
    assert line["y"][5] == pytest.approx(0.125)
    assert line["y"][13] == pytest.approx(np.mean(np.arange(2, 14)) / 20)
    assert _trace(figure, "alpha, each window")["y"][3] == 0.15


def test_label_is_literal_text_to_plotly() -> None:
    assert label("<b>A&B</b>") == "&lt;b&gt;A&amp;B&lt;/b&gt;"


def test_faded_colour() -> None:
    assert faded("#3f6fb5", 0.5) == "rgba(63,111,181,0.5)"


def test_sparkline_of_equal_series_is_flat_and_of_gains_rises() -> None:
    same = sparkline(np.array([0.1, -0.2, 0.3]), np.array([0.1, -0.2, 0.3]))
    assert {pair.split(",")[1] for pair in same.split()} == {"22.0"}
    assert sparkline(np.array([0.1, 0.1]), np.zeros(2)) == "0.0,22.0 50.0,12.0 100.0,2.0"


def test_sparkline_survives_ruin_and_needs_two_returns() -> None:
    assert sparkline(np.array([np.nan, 0.1]), np.zeros(2)) == ""
    assert "nan" not in sparkline(np.array([0.1, -1.0, 0.1]), np.zeros(3))
