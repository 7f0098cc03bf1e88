"""The leak check of plug-ins, ours and those of other packages, on a market of random walks.

Every family whose plug-ins look at bars, returns or features is here, with what is done with one
of them. A plug-in that needs parameters is checked with `check_strategy`, `check_function`,
`check_feature`, `check_model` or `check_decision` by whoever can give them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.quant.leaks.decisions import check_decision
from quant_assets.quant.leaks.functions import check_feature, check_function
from quant_assets.quant.leaks.report import LeakReport
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.market.bar_panel import FIELDS, BarPanel

__all__ = ["PlugIn", "PlugInFamily", "check_plug_in", "found_plug_ins", "plug_in_families"]

Floats = npt.NDArray[np.float64]
Check = Callable[[Any], LeakReport]
BARS, SYMBOLS, MONTH_BARS = 520, 5, 4
WINDOW = 90  # returns that a decision is given
START = np.datetime64("2022-01-03", "us")
QUICK = Settings(start_up=False)


@dataclass(frozen=True)
class PlugInFamily:
    """Where plug-ins of a kind are found, and how one is checked; `check` takes the class."""

    package: str
    base: str
    check: Check

    def kinds(self) -> dict[str, type[Any]]:
        """All plug-ins of the family by name, those of other packages among them."""
        return discover(self.package, _named(self.base))


@dataclass(frozen=True)
class PlugIn:
    """A plug-in that was found, of a family."""

    family: str
    name: str
    kind: type[Any]

    def check(self) -> LeakReport:
        """The leak check; `raise_if_untrusted` of the report is what a test wants."""
        return _families()[self.family].check(self.kind)


def plug_in_families() -> Mapping[str, PlugInFamily]:
    """The families that are checked here, by name."""
    return _families()


def found_plug_ins(family: str | None = None) -> Iterator[PlugIn]:
    """All plug-ins of one family or of all, by discovery: a new file is there without a line here.

    Those that cannot be made without parameters are left out; an unknown family is a `ConfigError`.
    """
    known = _families()
    if family is not None and family not in known:
        raise ConfigError(f"no family of plug-ins {family!r}; known: {', '.join(known)}")
    for name, one in known.items():
        if family in {None, name}:
            for plug_in, kind in one.kinds().items():
                if _makes_itself(kind):
                    yield PlugIn(name, plug_in, kind)


def check_plug_in(family: str, name: str) -> LeakReport:
    """The leak check of the plug-in called `name`; an unknown one is a `ConfigError`."""
    found = {one.name: one for one in found_plug_ins(family)}
    if name not in found:
        raise ConfigError(f"no {family} {name!r} that needs no parameters; known: {sorted(found)}")
    return found[name].check()


def _makes_itself(kind: Any) -> bool:
    """Whether a plug-in is made without parameters."""
    try:
        kind()
    except TypeError:
        return False
    return True


def _named(dotted: str) -> type[Any]:
    """The class that a text names, imported when it is needed."""
    from importlib import import_module

    module, _, name = dotted.rpartition(".")
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


@cache
def _families() -> Mapping[str, PlugInFamily]:
    root = "quant_assets.quant"
    execution = f"{root}.simulation.execution"
    table: tuple[tuple[str, str, str, Check], ...] = (
        ("features", "features", "base.Feature", _feature),
        ("rules", "strategies.rules", "base.Rule", _rule),
        ("regimes", "strategies.regimes", "base.RegimeClassifier", _regime),
        ("entry_sizers", "sizing.entry", "base.EntrySizer", _entry_sizer),
        ("risk_rules", "risk", "base.RiskRule", _risk_rule),
        ("sizers", "sizing", "base.Sizer", _sizer),
        ("covariances", "moments.covariances", "base.CovarianceEstimator", _estimator),
        ("means", "moments.means", "base.MeanEstimator", _estimator),
        ("optimizers", "optimization", "base.Optimizer", _optimizer),
        ("selections", "optimization.selections", "base.Selection", _selection),
    )
    found = {
        name: PlugInFamily(f"{root}.{package}", f"{root}.{package}.{base}", check)
        for name, package, base, check in table
    }
    slippage = f"{execution}.slippage"
    found["slippage"] = PlugInFamily(slippage, f"{slippage}.base.SlippageModel", _slippage)
    return found


@cache
def _bars() -> BarPanel:
    """Hourly bars with gaps, a funding rate, liquidations and a spread."""
    rng = np.random.default_rng(17)
    shape = (BARS, SYMBOLS)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, shape), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0.0, 0.005, shape))
    spread = np.exp(np.abs(rng.normal(0.0, 0.01, (2, *shape))))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * spread[0],
        "low": np.minimum(opened, close) / spread[1],
        "close": close,
        "volume": rng.lognormal(8.0, 0.8, shape),
    }
    extras = {
        "funding_rate": rng.normal(1e-4, 2e-4, shape),
        "liquidated_long": rng.exponential(1e5, shape),
        "liquidated_short": rng.exponential(1e5, shape),
        "spread": rng.uniform(1e-4, 1e-3, shape),
    }
    gone = rng.random(shape) < 0.004
    for values in (*fields.values(), *extras.values()):
        values[gone] = np.nan
    step = timedelta(hours=1)
    ts = START + np.arange(BARS) * np.timedelta64(step)
    symbols = tuple(f"S{column}" for column in range(SYMBOLS))
    return BarPanel.from_arrays(ts, symbols, step, extras=extras, **fields)


def _returns(bars: BarPanel) -> Floats:
    close = bars.close
    moves = np.full(close.shape, np.nan)
    moves[1:] = close[1:] / close[:-1] - 1.0
    return moves


def _feature(kind: Any) -> LeakReport:
    from quant_assets.quant.features.base import FeatureInputs

    bars, rng = _bars(), np.random.default_rng(18)
    returns = _returns(bars)
    inputs = FeatureInputs.of(
        **{name: bars[name] for name in (*FIELDS, "funding_rate")},
        liquidated_longs=np.nan_to_num(bars["liquidated_long"]),
        liquidated_shorts=np.nan_to_num(bars["liquidated_short"]),
        returns=returns,
        market=np.nanmean(np.where(np.isnan(returns), 0.0, returns), axis=1),
        spot_close=bars.close * (1.0 + rng.normal(0.0, 1e-3, bars.close.shape)),
        open_interest=rng.lognormal(5.0, 0.1, bars.close.shape),
        month_bars=MONTH_BARS,
        bars_per_year=252,
        ts=pd.DatetimeIndex(bars.ts, tz="UTC"),
        symbols=bars.symbols,
    )
    return check_feature(kind(), inputs)


def _of_bars(function: Callable[[BarPanel], Any]) -> LeakReport:
    return check_function(function, _bars(), settings=QUICK)


def _rule(kind: Any) -> LeakReport:
    from quant_assets.quant.strategies.rule_signals import RuleSignals

    rule = kind()
    return _of_bars(RuleSignals(entry_long=rule, exit_long=~rule).signals)


def _regime(kind: Any) -> LeakReport:
    classifier = kind()

    def labels(bars: BarPanel) -> dict[str, Any]:
        found = classifier.classify(bars)
        return {"code": found.code, "confidence": found.confidence}

    return _of_bars(labels)


def _on_every_bar(values: Any, bars: BarPanel) -> Floats:
    """Numbers `(time or 1, symbol)`, or one for all, on each bar."""
    return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), bars.close.shape))


def _entry_sizer(kind: Any) -> LeakReport:
    sizer = kind()
    return _of_bars(lambda bars: _on_every_bar(sizer.sizes(bars).size, bars))


def _risk_rule(kind: Any) -> LeakReport:
    from quant_assets.quant.risk.terms import STOP_FRACTION, ExitTerms

    rule = kind()

    def terms(bars: BarPanel) -> dict[str, Any]:
        if hasattr(rule, "limits"):
            return {name: _on_every_bar(value, bars) for name, value in rule.limits(bars).items()}
        stop = np.full((1, 1, len(bars.symbols)), 0.05)
        exits = rule.exits(bars, ExitTerms(np.array([STOP_FRACTION], dtype=np.int8), stop))
        return {f"level {n}": _on_every_bar(level, bars) for n, level in enumerate(exits.level)}

    return _of_bars(terms)


def _slippage(kind: Any) -> LeakReport:
    model = kind()

    def prices(bars: BarPanel) -> dict[str, Any]:
        numbers = model.terms()._asdict()
        arrays = {name: v for name, v in model.arrays(bars)._asdict().items() if v.size}
        return {name: _on_every_bar(value, bars) for name, value in (numbers | arrays).items()}

    return _of_bars(prices)


def _known(rows: int) -> Floats:
    """Returns of a few names without gaps, the last of `rows`."""
    moves = np.random.default_rng(19).normal(5e-4, 0.02, (BARS, 8))
    return moves[rows - WINDOW : rows]


def _decision(decide: Callable[[Floats], Any], root: Any) -> LeakReport:
    subject = f"{type(root).__module__.split('.')[-2]} {type(root).name}"
    return check_decision(decide, _known(300), _known(500), root=root, subject=subject)


def _sizer(kind: Any) -> LeakReport:
    sizer = kind()
    sides = np.array([1.0, -1.0, 0.0, 1.0, -1.0, 1.0, 1.0, 1.0])
    return _decision(lambda returns: sizer.weights(sides, returns), sizer)


def _estimator(kind: Any) -> LeakReport:
    estimator = kind()
    return _decision(estimator.estimate, estimator)


def _optimizer(kind: Any) -> LeakReport:
    def fitted(returns: Floats) -> Floats:
        market = returns.mean(axis=1)
        given = {"benchmark": market, "factors": returns[:, :1] - returns[:, 1:2]}
        needed = {name: given[name] for name in kind.needs}
        expected = np.linspace(0.12, 0.02, returns.shape[1])
        weights: Floats = kind().fit(returns, expected_returns=expected, **needed).weights_
        return weights

    return _decision(fitted, kind())


def _selection(kind: Any) -> LeakReport:
    from quant_assets.quant.optimization.selections.base import Offered

    selection = kind()

    def chosen(returns: Floats) -> Any:
        names = np.arange(returns.shape[1])
        return selection.choose(Offered(returns.mean(axis=0), names % 3, returns))

    return _decision(chosen, selection)
