"""Random bars, terms, plans and decisions: whatever an account may meet, drawn from a seed."""

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

import numpy as np

from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.terms import ExitTerms, LimitTerms
from quant_assets.quant.simulation.execution.book import Book
from quant_assets.quant.simulation.execution.defaults import frictionless, neutral_limits
from quant_assets.quant.simulation.execution.engine import advance
from quant_assets.quant.simulation.execution.preparation import Preparation, new_book, prepare
from quant_assets.quant.simulation.execution.terms import (
    CommissionTerms,
    DetailBars,
    ExecutionTerms,
    FillTerms,
    InstrumentTerms,
    MarginTerms,
    SlippageTerms,
)
from quant_assets.quant.sizing.entry.units import ENTRIES_ONLY, EntrySizes, Resize
from quant_assets.quant.strategies.plan import Plan
from quant_assets.quant.strategies.signals import Signals

CAPITAL = 100_000.0
SIZES = {0: 50.0, 1: 20_000.0, 2: 0.5, 3: 0.02}  # by unit
LEVELS = {0: 0.03, 1: 3.0, 2: 0.04, 3: 4.0, 4: 0.05, 5: 5.0, 6: 5.0}  # by kind of exit


@dataclass(frozen=True)
class RandomRun:
    """Everything that a run needs."""

    bars: BarPanel
    terms: ExecutionTerms
    signals: Signals
    plan: Plan

    def run(self, cut: int | None = None) -> tuple[Preparation, Book]:
        """The book after all bars, in one call or in two."""
        preparation = prepare(self.bars, self.terms, signals=self.signals, plan=self.plan)
        book = new_book(preparation.market, CAPITAL)
        if cut is not None:
            book, _ = advance(preparation, book, cut)
        return preparation, advance(preparation, book)[0]

    def first(self, rows: int) -> "RandomRun":
        """The same run on the first bars only."""
        terms, carry = self.terms, self.terms.carry
        kept = carry.funding_bar < rows
        events = {
            f"funding_{name}": getattr(carry, f"funding_{name}")[kept]
            for name in ("bar", "due", "symbol", "rate", "mark")
        }
        fx = terms.instruments.fx
        detail = terms.detail
        cut = terms._replace(
            carry=carry._replace(days=carry.days[:rows], **events),
            instruments=terms.instruments._replace(fx=fx[:rows] if len(fx) > 1 else fx),
            detail=detail._replace(first=detail.first[: rows + 1]),
        )
        signals = _mapped(self.signals, lambda values: values[:rows].copy())
        return RandomRun(self.bars.rows(slice(0, rows)), cut, signals, self.plan)

    def permuted(self, order: np.ndarray) -> "RandomRun":
        """The same run with its symbols in another order."""

        def moved(values: Any) -> Any:
            return np.ascontiguousarray(values[..., order]) if values.size else values

        terms, plan = self.terms, self.plan
        carry, margin, place = terms.carry, terms.margin, np.argsort(order)
        tiers = {
            name: np.ascontiguousarray(getattr(margin, name)[order])
            for name in ("tier_notional", "tier_rate", "tier_deduction", "inverse", "linear")
        }
        detail = terms.detail
        symbols = place[carry.funding_symbol] if carry.funding_symbol.size else carry.funding_symbol
        new = terms._replace(
            carry=carry._replace(borrow=moved(carry.borrow), funding_symbol=symbols),
            margin=margin._replace(**tiers),
            instruments=InstrumentTerms(*map(moved, terms.instruments)),
            detail=DetailBars(*map(moved, detail[:4]), detail.first),
        )
        exits = plan.exits and plan.exits._replace(level=moved(plan.exits.level))
        sizes = EntrySizes(moved(plan.sizes.size), plan.sizes.unit)
        limits = plan.limits._replace(sector=moved(plan.limits.sector))
        names = [self.bars.symbols[i] for i in order]
        return RandomRun(
            self.bars.select(names),
            new,
            _mapped(self.signals, moved),
            replace(plan, exits=exits, sizes=sizes, limits=limits),
        )


def logs(book: Book) -> list[np.ndarray]:
    """All that a book has written, and its state."""
    n = book.counters
    written = [book.rows[: n[0]], book.fills[: n[4]], book.order_log[: n[5]], book.trades[: n[6]]]
    return [*written, book.vetoes[: n[7]], book.symbols, book.flags, book.account]


def random_run(seed: int, n_bars: int = 60, n_symbols: int = 3) -> RandomRun:
    """Draw one; every kind of order, cost, exit and limit turns up in a hundred of them."""
    rng = np.random.default_rng(seed)
    bars = _bars(rng, n_bars, n_symbols)
    terms = _terms(rng, bars)
    unit = int(rng.integers(0, 4))
    kinds = rng.choice(7, size=rng.integers(0, 5), replace=False).astype(np.int8)
    if unit == 3 and not (kinds < 4).any():
        kinds = np.append(kinds, np.int8(0))
    level = np.array([[[LEVELS[int(kind)]] * n_symbols] for kind in kinds])
    limits, signals = _limits(rng, n_symbols), _signals(rng, bars)
    more = rng.spawn(1)[0]  # draws of its own: the others stay as they were
    resized = unit == 2 and signals.target is None and more.random() < 0.5
    plan = Plan(
        sizes=EntrySizes(np.full((1, n_symbols), SIZES[unit]), unit),
        resize=Resize(int(more.integers(1, 8)), 0.05) if resized else ENTRIES_ONLY,
        exits=ExitTerms(kinds, level) if len(kinds) else None,
        limits=_held(more, limits),
    )
    return RandomRun(bars, terms, signals, plan)


def _mapped(signals: Signals, change: Any) -> Signals:
    given = {one.name: getattr(signals, one.name) for one in fields(signals)}
    return Signals(**{n: None if v is None else change(v) for n, v in given.items()})


def _bars(rng: np.random.Generator, n_bars: int, n_symbols: int) -> BarPanel:
    shape = (n_bars, n_symbols)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    start = np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0, 0.01, shape))
    high = np.maximum(start, close) * (1 + abs(rng.normal(0, 0.01, shape)))
    low = np.minimum(start, close) * (1 - abs(rng.normal(0, 0.01, shape)))
    volume = rng.uniform(0, 2_000, shape)
    volume[rng.random(shape) < 0.05] = 0.0
    volume[rng.random(shape) < 0.05] = np.nan
    gaps = rng.random(shape) < 0.03
    for values in (start, high, low, close):
        values[gaps] = np.nan
    volume[gaps] = 0.0
    extras = {"volatility": np.full(shape, 0.02), "average_volume": np.full(shape, 1_000.0)}
    extras["spread"] = abs(rng.normal(0, 1e-3, shape))
    ts = np.datetime64("2020-01-01", "us") + np.arange(n_bars) * np.timedelta64(6, "h")
    names = [f"S{i}" for i in range(n_symbols)]
    prices = {"open": start, "high": high, "low": low, "close": close, "volume": volume}
    return BarPanel.from_arrays(ts, names, timedelta(hours=6), extras=extras, **prices)


def _terms(rng: np.random.Generator, bars: BarPanel) -> ExecutionTerms:
    n_bars, n = bars.close.shape

    def one(*choices: float) -> float:
        return float(rng.choice(choices))

    free = np.zeros((n, 0))
    linear = rng.spawn(1)[0].random(n) < 0.4  # draws of its own: the others stay as they were
    tiers = tuple(np.tile(row, (n, 1)) for row in ([0.0, 5e4], [0.05, 0.1], [0.0, 2_500.0]))
    margin = (free, free, free) if rng.random() < 0.5 else tiers
    fx = np.exp(rng.normal(0, 0.02, (n_bars, n))) if rng.random() < 0.3 else np.ones((1, n))
    kept = (np.full(n, one(*pair)) for pair in ((0.0, 0.1, 1.0), (0.0, 0.01), (0.0, 50.0), (1, 5)))
    steps = (np.array([0.005, 0.003]), np.array([0.0, 500.0]))
    rates = (one(0, 1), *steps, 2e-4, 5e-4, one(0, 1), one(np.inf, 0.01), one(0, 1e-3))
    terms = frictionless(bars)._replace(
        fills=FillTerms(
            int(rng.integers(0, 4)),
            bool(rng.random() < 0.5),
            one(np.inf, 0.1, 0.5),
            int(rng.integers(1, 6)),
            int(one(0, 0, 1, 2)),
            bool(rng.random() < 0.2),
        ),
        slippage=SlippageTerms(one(0, 5e-4), one(0, 0.5), one(0, 0.3), 0.5, one(0, 0.1)),
        commission=CommissionTerms(*rates, one(0, 0.01), 0.0),
        margin=MarginTerms(one(1, 3, np.inf), *margin, one(0, 0.005), rng.random(n) < 0.25, linear),
        instruments=InstrumentTerms(*kept, fx),
    )
    linear &= ~terms.margin.inverse
    if rng.random() < 0.5:
        events = 10
        terms = terms._replace(
            carry=terms.carry._replace(
                borrow=np.full(n, 0.05),
                cash_rate=0.03,
                debit_rate=0.08,
                rebate=0.01,
                funding_bar=np.sort(rng.integers(0, n_bars, events)),
                funding_due=rng.integers(0, 3, events),
                funding_symbol=rng.integers(0, n, events),
                funding_rate=rng.normal(0, 1e-3, events),
                funding_mark=np.full(events, np.nan),
            )
        )
    return terms._replace(detail=_detail(bars)) if rng.random() < 0.3 else terms


def _detail(bars: BarPanel) -> DetailBars:
    """Two halves of each bar, which meet in its middle."""
    n, middle = len(bars), (bars.high + bars.low) / 2

    def halves(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.stack([first, second], axis=1).reshape(2 * n, -1)

    return DetailBars(
        halves(bars.open, middle),
        halves(bars.high, np.maximum(middle, bars.close)),
        halves(np.minimum(bars.open, middle), bars.low),
        halves(middle, bars.close),
        np.arange(0, 2 * n + 1, 2),
    )


def _limits(rng: np.random.Generator, n: int) -> LimitTerms:
    def maybe(value: float) -> float:
        return float(rng.choice([np.inf, value]))

    if rng.random() < 0.4:
        return neutral_limits(n)
    return neutral_limits(n)._replace(
        max_position=maybe(0.4),
        max_gross=maybe(1.2),
        max_net=maybe(0.8),
        max_sector=maybe(0.6),
        sector=np.arange(n) % 2,
        max_positions=int(rng.choice([2, 99])),
        max_heat=maybe(0.1),
        correlation=maybe(0.3),
        correlation_bars=10,
        cut_drawdown=maybe(0.05),
        cut_scale=0.5,
        halt_drawdown=maybe(0.15),
        resume_drawdown=0.05,
        halt_bars=int(rng.choice([5, 1000])),
        daily_loss=maybe(0.03),
        cool_down=int(rng.choice([0, 3])),
    )


def _held(rng: np.random.Generator, limits: LimitTerms) -> LimitTerms:
    """Half of them are cut back where prices move positions beyond them."""
    names = ("position", "gross", "net", "sector")
    cut = {f"held_{n}": getattr(limits, f"max_{n}") for n in names}
    cut |= {f"drift_{n}": cut[f"held_{n}"] * float(rng.choice([1.0, 1.05])) for n in names}
    return limits._replace(**cut) if rng.random() < 0.5 else limits


def _signals(rng: np.random.Generator, bars: BarPanel) -> Signals:
    shape = bars.close.shape

    def some(share: float) -> Any:
        return rng.random(shape) < share

    if rng.random() < 0.3:
        return Signals(target=np.where(some(0.1), rng.uniform(-0.5, 0.6, shape), np.nan))
    away = {"limit": 0.99, "stop": 1.01}
    prices = {
        name: np.where(some(0.3), bars.close * factor, np.nan)
        for name, factor in away.items()
        if rng.random() < 0.4
    }
    return Signals(
        entry_long=some(0.15),
        exit_long=some(0.1),
        entry_short=some(0.1),
        exit_short=some(0.1),
        strength=rng.random(shape),
        **prices,
    )
