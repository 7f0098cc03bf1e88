"""Strategy files: the design document's example, what is refused and where, and their schema."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.core.yaml_loader import load_yaml, parse_yaml
from quant_assets.quant.indicators.oscillators import Rsi
from quant_assets.quant.indicators.volatility import BollingerBands
from quant_assets.quant.risk.max_correlation import MaxCorrelation
from quant_assets.quant.risk.max_position import MaxPosition
from quant_assets.quant.risk.trailing_stop import TrailingStop
from quant_assets.quant.sizing.entry.base import entry_sizers
from quant_assets.quant.sizing.entry.kelly_optimal import KellyOptimal
from quant_assets.quant.strategies import StrategyBuilder, load_strategy, strategy_schema
from quant_assets.quant.strategies.library import make_strategy
from quant_assets.quant.strategies.regimes import MovingAverageTrend, RegimeFilter
from quant_assets.quant.strategies.rules import (
    BbLowerTouch,
    BbUpperTouch,
    RsiOversold,
)
from quant_assets.quant.strategies.rules import rules as known_rules
from quant_assets_tests.quant.strategies.json_schema import is_valid
from quant_assets_tests.quant.strategies.markets import random_bars

DESIGN = Path(__file__).with_name("design_example.yaml")
SIGNALS = """\
strategy: small
version: "1.0.0"
components:
  signals:
    entry_long:
"""


@pytest.fixture(scope="module")
def text():
    return DESIGN.read_text(encoding="utf-8")


def refusal(text):
    with pytest.raises(ConfigError) as caught:
        load_strategy(text)
    return str(caught.value)


def test_example_of_the_design_document_builds_the_strategy_that_it_says(text):
    loaded = load_strategy(DESIGN)
    expected = (
        StrategyBuilder("bb_mean_reversion", "2.1.0")
        .with_indicators(BollingerBands(20, 2.0), Rsi(14))
        .with_signals(
            entry_long=[BbLowerTouch(period=20, std_dev=2.0), RsiOversold(threshold=30.0)],
            exit_long=BbUpperTouch(period=20, std_dev=2.0),
        )
        .with_sizing(KellyOptimal(risk_free_rate=0.05, max_leverage=1.0))
        .with_risk(TrailingStop(pct=0.02), MaxPosition(pct=0.05), MaxCorrelation(threshold=0.7))
        .with_regime(RegimeFilter(["bull", "neutral"], 0.8, MovingAverageTrend()))
        .with_execution(
            {
                "fill_model": "realistic_volume",
                "commission_model": "interactive_brokers",
                "slippage_model": "sqrt_volume",
            }
        )
        .with_warm_up(100)
        .build()
    )
    assert loaded.strategy == expected
    assert loaded.settings.backtest.start_date == date(2020, 1, 1)
    assert loaded.settings.backtest.end_date == date(2024, 12, 31)
    assert loaded.settings.backtest.initial_capital == 100_000.0
    assert loaded.settings.backtest.universe == "sp500_liquid"
    assert loaded.settings.runtime.candle_interval == timedelta(minutes=15)
    assert load_strategy(text).strategy == expected


@pytest.mark.slow
def test_example_of_the_design_document_decides(text):
    bars = random_bars(600, days=1 / 96)
    loaded = load_strategy(text)
    loaded.check_bars(bars)
    signals, plan = loaded.strategy.decide(bars)
    rsi, bands = Rsi(14).compute(bars.close), BollingerBands(20, 2.0).compute(bars.close)
    asked = (bars.low <= bands.lower) & (rsi < 30.0)
    trend = MovingAverageTrend().classify(bars)
    allowed = (trend.code > 0) & (trend.confidence >= 0.8)
    np.testing.assert_array_equal(signals.entry_long, asked & allowed)
    np.testing.assert_array_equal(signals.exit_long, bars.high >= bands.upper)
    assert asked.any()
    assert plan.limits.max_position == 0.05
    with pytest.raises(ConfigError, match="made for bars of 0:15:00; these have 1 day"):
        loaded.check_bars(random_bars(9))


WRONG = [
    ("rsi_oversold", "rsi_overold", 16, "did you mean rsi_oversold?"),
    (
        "threshold: 30",
        "treshold: 30",
        16,
        "rsi_oversold.treshold: unknown key; did you mean thresh",
    ),
    ("enabled: true", "enabled: on", 30, "a valid boolean (found 'on')"),
    ("enabled: true", "enabled: no", 30, "a valid boolean (found 'no')"),
    ('"2.1.0"', "2.10", 3, "a valid string (found 2.1)"),
    ('"2.1.0"', '"2.1"', 3, "is not semantic"),
    ("pct: 0.02", "pct: 1:30", 25, "trailing_stop.pct: Input should be a valid number"),
    ("pct: 0.02", "pct: 1.5", 25, "less than 1"),
    ("{pct: 0.02}", "0.02", 25, "a mapping (found 0.02)"),
    ("trailing_stop", "trailing_stp", 25, "did you mean trailing_stop?"),
    ('["bull", "neutral"]', "[bul]", 31, "has no regime 'bul'; did you mean bull?"),
    ('["bull", "neutral"]', "[no]", 31, "known: bear, bull, neutral"),
    ('["bull", "neutral"]', "[]", 31, "at least 1 item"),
    ("threshold: 0.8", "threshold: 80", 32, "less than or equal to 1"),
    ("warmup_periods: 100", "warmup_periods: 5", 6, "warm-up of 5 bars; its signals need 19"),
    ("kelly_optimal", "kelly_optmal", 21, "did you mean kelly_optimal?"),
    ("max_leverage", "max_leverag", 22, "did you mean max_leverage?"),
    ("version:", "strategy: again\nversion:", 3, "the key 'strategy' is already set on line 2"),
    ('"15m"', "15:30", 5, "'15:30' is not a duration"),
    ("std_dev: 2.0", "std_dev: two", 10, "bollinger_bands.std_dev: Input should be a valid number"),
    ("std_dev: 2.0", "n: 9", 10, "bollinger_bands.period: unknown key"),
    ("period: 14", "period: 1.5", 11, "a valid integer (found 1.5)"),
    ("period: 14", "period: 0", 11, "a whole number of rows"),
    ("2024-12-31", "2019-12-31", 34, "is not after start_date"),
    ("2024-12-31", "2024-13-31", 36, "end_date"),
    ("100000.0", "0", 37, "greater than 0"),
    ("fill_model:", "fil_model:", 41, "did you mean fill_model?"),
    ("exit_long", "exit_lng", 17, "did you mean exit_long?"),
    ("bb_lower_touch: {}", "bb_lower_touch: {}\n        b: 1", 15, "write one plug-in as"),
    ("threshold: 30", "threshold: .nan", 16, "must be finite"),
    ("      - rsi_oversold", "      - all: []\n      - rsi_oversold", 16, "a list of rules is exp"),
    ("entry_long", "exit_short", 13, "entry_long or entry_short is needed"),
    ("bb_mean_reversion", "BB mean", 2, "pattern"),
    ("bb_mean_reversion", "&a [*a, *a]", 2, "is not complete here"),
    ("bb_mean_reversion", "!!python/object:os.system x", 2, "is not allowed"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), WRONG)
def test_mistake_is_refused_with_its_line(text, old, new, line, message):
    assert old in text
    found = refusal(text.replace(old, new, 1))
    assert found.startswith(f"<text>:{line}:")
    assert message in found


def test_bomb_of_aliases_is_refused_before_it_grows():
    levels = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9))
    assert "aliases expand to more than" in refusal(f"a0: &a0 [1, 2, 3]\n{levels}\n")


def test_all_problems_of_a_file_are_told_at_once(text):
    broken = text.replace("rsi_oversold", "rsi_low").replace("trailing_stop", "trailing")
    lines = refusal(broken.replace("kelly_optimal", "kely")).splitlines()
    assert [line.split(":")[1] for line in lines] == ["16", "21", "25"]


def test_problem_of_a_file_names_the_file(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("bull", "bul"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml:31: components\.regime\.allowed\.0:"):
        load_strategy(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_strategy(str(tmp_path / "none.yaml"))


def test_rules_join_by_all_any_and_not():
    body = """\
      - any:
          - rsi_oversold: {threshold: 25}
          - all: [bb_lower_touch, {volume_spike: {multiple: 3}}]
      - not: {adx_trending: {threshold: 40}}
"""
    strategy = load_strategy(SIGNALS + body).strategy
    bars = random_bars(200)
    kinds = known_rules()
    spike = kinds["volume_spike"](multiple=3.0)
    calm = ~kinds["adx_trending"](threshold=40.0)
    expected = (RsiOversold(threshold=25.0) | (BbLowerTouch() & spike)) & calm
    source = StrategyBuilder().with_signals(entry_long=expected).build()
    np.testing.assert_array_equal(
        strategy.signals(bars).entry_long, source.signals(bars).entry_long
    )
    assert strategy.signals(bars).entry_long.any()


def test_rule_takes_the_parameters_of_the_declared_indicator_unless_it_has_its_own(text):
    taken = load_strategy(text.replace("period: 14", "period: 7").replace("std_dev: 2.0", "k: 3"))
    entry = taken.strategy.middlewares[1].source.entry_long.members
    assert entry == (BbLowerTouch(std_dev=3.0), RsiOversold(period=7))
    own = load_strategy(text.replace("{threshold: 30}", "{threshold: 30, period: 5}"))
    assert own.strategy.middlewares[1].source.entry_long.members[1] == RsiOversold(period=5)


def test_rule_with_two_declared_indicators_must_say_which():
    head = SIGNALS.replace(
        "  signals:", "  indicators: [rsi: {period: 5}, rsi: {period: 9}]\n  signals:"
    )
    assert "2 rsi are declared; give period" in refusal(head + "      - rsi_oversold\n")
    loaded = load_strategy(head + "      - rsi_oversold: {period: 9}\n")
    assert loaded.strategy.middlewares[1].source.entry_long == RsiOversold(period=9)


LIBRARY = """\
strategy: from_the_library
version: "1.0.0"
components:
  signals:
    strategy: {moving_average_cross: {fast: 5, slow: 20}}
  risk: [trailing_stop: {pct: 0.05}]
"""


def test_strategy_of_the_library_is_used_by_its_name():
    loaded, bars = load_strategy(LIBRARY), random_bars(120)
    own = make_strategy("moving_average_cross", {"fast": 5, "slow": 20})
    assert loaded.strategy.middlewares[0].source == own
    found, expected = loaded.strategy.signals(bars), own.signals(bars)
    np.testing.assert_array_equal(found.entry_long, expected.entry_long)
    assert loaded.strategy.plan(bars).exits.level.shape[0] == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("moving_average_cross", "moving_averge_cross", ":5: .*did you mean moving_average_cross?"),
        ("fast:", "fst:", ":5: .*did you mean fast?"),
        ("fast: 5", "fast: 50", ":5: "),
        ("  risk:", "    entry_long: [new_high]\n  risk:", ":4: .*leave out entry_long"),
    ],
)
def test_mistake_about_a_strategy_of_the_library_is_told(old, new, message):
    with pytest.raises(ConfigError, match=message):
        load_strategy(LIBRARY.replace(old, new))


def test_regime_that_is_not_enabled_is_left_out(text):
    loaded = load_strategy(text.replace("enabled: true", "enabled: false"))
    assert "regime" not in loaded.strategy.stages()["middleware"].tolist()


def test_smallest_file_is_a_strategy():
    loaded = load_strategy(SIGNALS + "      - new_high: {period: 5}\n")
    assert [one.name for one in loaded.strategy.middlewares] == ["signals", "attribution"]
    assert loaded.strategy.execution is None
    assert loaded.strategy.warm_up == 5


@pytest.fixture(scope="module")
def schema():
    return strategy_schema()


def test_schema_names_every_plug_in_and_is_json(schema):
    text = json.dumps(schema, allow_nan=False)
    for name in (
        *known_rules(),
        *entry_sizers(),
        "trailing_stop",
        "hidden_markov",
        "donchian_channels",
    ):
        assert f'"{name}"' in text, name


def test_schema_accepts_the_design_document_and_refuses_what_the_loader_refuses(text, schema):
    data = load_yaml(DESIGN).data
    assert is_valid(data, schema, schema)
    structural = [
        "rsi_overold", "treshold: 30", "enabled: on", "pct: 1:30", "pct: 1.5", "trailing_stp",
        "[bul]", "kelly_optmal", "max_leverag", "std_dev: two", "period: 1.5", "fil_model:",
        "exit_lng", "threshold: 80",
    ]  # fmt: skip
    for old, new, *_ in WRONG:
        if new in structural:
            changed = parse_yaml(text.replace(old, new, 1), Path("x")).data
            assert not is_valid(changed, schema, schema), new


def test_schema_takes_plug_ins_of_the_execution_from_its_caller():
    given = {"fill_model": {"exact": KellyOptimal}}
    found = strategy_schema(given)["$defs"]["Execution"]["properties"]["fill_model"]
    assert found["anyOf"][0] == {"enum": ["exact"]}


ODD = ["null", "[]", "{}", "-1", "1e308", ".nan", ".inf", "true", "on", "~", "''", "[[1]]", "&x 1"]
ODD += ["{a: 1}", "9" * 30, "- - -", "*x", "!!int 3", "\t", "0x10", "1:30", "2020-01-01", "é", '"']
WORD = re.compile(r"[\w.\"-]+")


def mutated(text, rng):
    """The text with one to three lines lost, repeated, moved, or with a word replaced."""
    words = WORD.findall(text) + ODD
    lines = text.splitlines()
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, len(lines)))
        kind = rng.integers(0, 4)
        found = list(WORD.finditer(lines[at]))
        if kind == 0:
            lines.pop(at)
        elif kind == 1:
            lines.insert(at, lines[rng.integers(0, len(lines))])
        elif kind == 2 and found:
            word = found[rng.integers(0, len(found))]
            other = words[rng.integers(0, len(words))]
            lines[at] = lines[at][: word.start()] + other + lines[at][word.end() :]
        else:
            lines[at] = " " * int(rng.integers(0, 7)) + lines[at].strip()
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_damaged_file_is_a_strategy_or_a_refusal_with_its_line(text):
    rng = np.random.default_rng(0)
    refusals = []
    for _ in range(1_500):
        damaged = mutated(text, rng)
        try:
            load_strategy(damaged)
        except ConfigError as error:
            refusals.append(str(error))
    assert 900 < len(refusals) < 1_450
    assert [told for told in refusals if not re.match(r"<text>:\d+:", told)] == []


@pytest.mark.parametrize(
    ("universe", "said"),
    [
        ("{from: venue}", ""),
        ("{from: venue, on_exit: keep}", ""),
        ("[A, B]", ""),
        ("{from: venu}", ":8: backtest.universe.from: Input should be 'venue' (found 'venu')"),
        ("{from: venue, on_exit: sell}", ":8: backtest.universe.on_exit: Input should be 'close'"),
        ("{on_exit: keep}", ":8: backtest.universe.from: this key is required"),
        (
            "{from: venue, at: close}",
            ":8: backtest.universe.at: unknown key; known: from, on_exit",
        ),
        ("[A, 3]", ":8: backtest.universe.1: Input should be a valid string (found 3)"),
    ],
)
def test_universe_of_the_venue_is_read_strictly(universe, said, schema):
    text = f"{SIGNALS}      - rsi_oversold: {{threshold: 30}}\nbacktest:\n  universe: {universe}\n"
    assert is_valid(parse_yaml(text, Path("x")).data, schema, schema) == (not said)
    if said:
        lines = refusal(text).splitlines()
        assert len(lines) == 1
        assert said in lines[0]
        return
    backtest = load_strategy(text).settings.backtest
    rule = backtest.members
    assert (rule is None) == universe.startswith("[")
    if rule is not None:
        assert rule.on_exit == ("keep" if "keep" in universe else "close")
