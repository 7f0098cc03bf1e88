"""Names, defaults and habits that hold everywhere, as docs/conventions.md states them."""

import ast
import inspect
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import get_type_hints

import pytest

from quant_assets.core.venues import SimulationParameters
from quant_assets.quant import analytics, indicators, model_selection, statistics
from quant_assets_tests.adapters.venue_models import make_venue
from quant_assets_tests.contracts.samples import all_contracts

PACKAGE = Path(indicators.__file__).parents[2]
SIGNATURES = {
    indicators: """
        sma(x, n) wma(x, n) ema(x, n)
        rsi(close, n=14) atr(high, low, close, n=14) adx(high, low, close, n=14)
        macd(close, fast=12, slow=26, signal=9) bollinger_bands(close, n=20, k=2.0)
        stochastic(high, low, close, k=14, smooth_k=3, d=3) cci(high, low, close, n=20)
        williams_r(high, low, close) roc(x) momentum(x) true_range(high, low, close)
        mfi(high, low, close, volume, n=14) obv(close, volume)
        vwap(high, low, close, volume, anchor) donchian_channels(high, low, n=20)
        keltner_channels(high, low, close, n=20, atr_n=10, k=2.0) realized_volatility(prices)
    """,
    analytics: """
        annual_volatility(returns, periods_per_year) cagr(returns, periods_per_year)
        sharpe_ratio(returns, periods_per_year) sortino_ratio(returns, periods_per_year, mar=0.0)
        max_drawdown(returns) drawdown_duration(returns) calmar_ratio(returns, periods_per_year)
        omega_ratio(returns) tail_ratio(returns) skewness(returns) kurtosis(returns)
        alpha(returns, benchmark, periods_per_year) beta(returns, benchmark, periods_per_year)
        information_ratio(returns, benchmark, periods_per_year) hit_rate(returns)
        value_at_risk(returns, level=0.05) conditional_value_at_risk(returns, level=0.05)
        parametric_value_at_risk(returns, level=0.05)
        parametric_conditional_value_at_risk(returns, level=0.05)
        profit_factor(returns) turnover(weights, returns)
    """,
    statistics: """
        probabilistic_sharpe_ratio(returns) deflated_sharpe_ratio(returns)
        minimum_track_record_length(returns) sharpe_ratio_autocorrelation_adjusted(returns)
        benjamini_hochberg(p_values, fdr) benjamini_yekutieli(p_values, fdr)
        two_level(p_values, families, fdr) pooled(p_values, families, fdr)
        within(p_values, families, fdr) newey_west(y, x=None, lags=None, small_sample=False)
        event_effect(outcomes, bars, days, horizon_bars, lags=None, tail='t')
        stationary_bootstrap(n_rows, mean_block)
    """,
    model_selection: """
        WalkForward(train_size, test_size, purge=0, embargo=0, expanding=False)
        PurgedKFold(n_folds, purge, embargo)
        CombinatorialPurgedKFold(n_folds, n_test_folds, purge, embargo)
        probability_of_backtest_overfitting(returns, n_splits)
    """,
}
PROMISED = [
    pytest.param(package, *call, id=call[0])
    for package, calls in SIGNATURES.items()
    for call in re.findall(r"(\w+)\(([^)]*)\)", calls)
]
LINES = {
    "macd": "line signal histogram",
    "bollinger_bands": "upper middle lower",
    "stochastic": "k d",
    "donchian_channels": "upper middle lower",
    "keltner_channels": "upper middle lower",
}
# All that numpy.random has beside these draws from one hidden state.
GENERATORS = {"Generator", "SeedSequence", "default_rng"}
INSTANT = r"\b(ts|available_at|decided_at|moments?|collected|received|instants?)\b"
# Tables about finished runs: they are shown, and joined with nothing.
SETS_THE_STATE = {"quant/leaks/attempts.py", "quant/leaks/models.py"}
REPORTS = {
    *("League", "MonteCarlo", "Overfitting", "ReportFiles", "Tournament", "TrialLedger"),
    *("OptimizationTrials", "StrategyLeaks", "StrategyRuns", "WalkforwardResults"),
}


@cache
def sources() -> dict[str, str]:
    """Text of each module of the package by its path."""
    return {p.relative_to(PACKAGE).as_posix(): p.read_text() for p in PACKAGE.rglob("*.py")}


def nodes(*patterns: str, folder: str = ""):
    """(path, syntax node) of the modules under `folder` with a line that all patterns find."""
    first, *others = map(re.compile, patterns)
    for path, text in sorted(sources().items()):
        if path.startswith(folder) and first.search(text):
            lines = [line for line in text.splitlines() if first.search(line)]
            if any(all(other.search(line) for other in others) for line in lines):
                for node in ast.walk(ast.parse(text)):
                    yield path, node


def methods(names: str, *patterns: str, folder: str = ""):
    """(path, call) of every call of one of these methods, in modules as `nodes` chooses them."""
    for path, node in nodes(rf"\.({names})\(", *patterns, folder=folder):
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if method and re.fullmatch(names, node.func.attr):
            yield path, node


def base_name(node: ast.AST) -> str:
    """The last name of `a.name`, `a.name[…]`, `a.name.method(…)` and `name(…)`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        else:
            return node.attr if isinstance(node, ast.Attribute) else ""
    return node.id


@pytest.mark.parametrize(("package", "name", "arguments"), PROMISED)
def test_signature_begins_with_the_promised_parameters_and_defaults(package, name, arguments):
    given = inspect.signature(getattr(package, name)).parameters
    places = [list(given).index(a.partition("=")[0].strip()) for a in arguments.split(",")]
    assert places == sorted(places)
    for argument in arguments.split(","):
        parameter, _, default = argument.strip().partition("=")
        if default:
            assert given[parameter].default == ast.literal_eval(default)


def test_risk_free_rate_and_anchor_and_generator_have_no_silent_default():
    empty = inspect.Parameter.empty
    assert inspect.signature(analytics.sharpe_ratio).parameters["periods_per_year"].default is empty
    assert inspect.signature(indicators.vwap).parameters["anchor"].default is empty
    assert inspect.signature(statistics.stationary_bootstrap).parameters["rng"].default is empty


@pytest.mark.parametrize("name", LINES)
def test_several_lines_come_back_under_the_promised_names_in_their_order(name):
    lines = get_type_hints(getattr(indicators, name))["return"]
    assert lines._fields == tuple(LINES[name].split())


def test_orders_fill_at_the_next_open_unless_the_venue_says_otherwise():
    assert SimulationParameters().fill == "next_open"
    assert SimulationParameters().lot_size == 0.0


@pytest.mark.parametrize(("provider", "fill"), [("simulated", "next_close"), ("bundled", None)])
def test_any_other_fill_is_stamped(provider, fill):
    venue = make_venue(provider, first="2024-01-01", last="2024-02-01")
    if fill is not None:
        assert not any("close" in stamp for stamp in venue.stamps())
        asked = venue.simulation.model_copy(update={"fill": fill})
        venue = venue.model_copy(update={"simulation": asked})
    assert any("orders fill at the" in stamp for stamp in venue.stamps())


def test_every_row_says_when_it_could_be_known_or_was_decided():
    columns = {contract.__name__: set(contract.to_schema().columns) for contract in all_contracts()}
    timeless = {n for n, own in columns.items() if not own & {"available_at", "decided_at"}}
    assert timeless == REPORTS
    happened = {name for name, own in columns.items() if "ts" in own} - REPORTS
    assert [name for name in happened if "available_at" not in columns[name]] == []


def test_no_draw_of_the_library_comes_from_a_hidden_global_state():
    """The leak check sets that state, and puts it back: what a user's code draws must repeat."""
    found = [
        f"{path}: {ast.unparse(node)}"
        for path, node in nodes(r"\brandom\.[a-z]", folder="quant/")
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value).endswith("random")
        and node.attr not in GENERATORS
        and path not in SETS_THE_STATE
    ]
    imports = nodes(r"^\s*(import random|from (numpy\.)?random)", folder="quant/")
    assert found + sorted({path for path, _ in imports} - SETS_THE_STATE) == []


def test_nothing_of_the_library_fills_missing_prices():
    found = methods("ffill|bfill|interpolate|pad|backfill", folder="quant/")
    assert [f"{path}: {ast.unparse(call)}" for path, call in found] == []


def test_no_instant_becomes_an_integer_outside_the_one_helper():
    found = [
        f"{path}: {ast.unparse(call)}"
        for path, call in methods("astype|view", "int64", INSTANT)
        if call.args
        and "int64" in ast.unparse(call.args[0])
        and re.fullmatch(INSTANT, base_name(call.func.value))
    ]
    assert found == ["quant/market/bars.py: moments.view(np.int64)"]


@pytest.mark.parametrize("kind", indicators.catalogue().values(), ids=indicators.catalogue())
def test_streams_have_the_defaults_of_their_function(kind):
    given = inspect.signature(getattr(indicators, kind.function)).parameters
    own = {field.name: field.default for field in fields(kind) if field.name in given}
    assert own == {name: given[name].default for name in own}
