"""What every plug-in of a backtest must do, whoever wrote it; found by discovery."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from quant_assets.core.registry import discover
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk.base import ExitRule, LimitRule
from quant_assets.quant.risk.combined import exit_terms, limit_terms, risk_rules
from quant_assets.quant.risk.stop_loss import StopLoss
from quant_assets.quant.risk.terms import TIME_BARS
from quant_assets.quant.simulation.execution.defaults import frictionless, neutral_limits
from quant_assets.quant.simulation.execution.model import FAMILIES, ExecutionModel
from quant_assets.quant.sizing.entry.base import entry_sizers
from quant_assets_tests.plugin_checks.prefix_invariance import assert_prefix_invariant
from quant_assets_tests.quant.simulation.execution.bar_samples import DAY, random_bars

pytestmark = pytest.mark.slow

N_BARS = 320
CUTS = (1, 2, 14, 61, 251, 272, 300, N_BARS - 1)
SYMBOLS = ("A/USD:USD", "B/EUR", "C", "D")
ORDER = np.array([2, 0, 3, 1])
PRICES = ("open", "high", "low", "close", "volume")
SIZERS, RULES = entry_sizers(), risk_rules()
EXECUTION = {
    (key, name): kind
    for key, family in FAMILIES.items()
    for name, kind in discover(family.package, family.base).items()
}
every_sizer = pytest.mark.parametrize("kind", SIZERS.values(), ids=SIZERS.keys())
every_exit = pytest.mark.parametrize(
    "kind", [k for k in RULES.values() if issubclass(k, ExitRule)], ids=lambda kind: kind.name
)
every_limit = pytest.mark.parametrize(
    "kind", [k for k in RULES.values() if issubclass(k, LimitRule)], ids=lambda kind: kind.name
)
every_model = pytest.mark.parametrize(
    ("family", "kind"),
    [(key, kind) for (key, _), kind in EXECUTION.items()],
    ids=["-".join(key) for key in EXECUTION],
)
every_plug_in = pytest.mark.parametrize(
    "kind", [*SIZERS.values(), *RULES.values(), *EXECUTION.values()], ids=lambda kind: kind.name
)


def sample_bars():
    return random_bars(N_BARS, len(SYMBOLS), missing=0.02, symbols=SYMBOLS)


def moved(bars):
    return bars.select([bars.symbols[column] for column in ORDER])


def rebuilt(bars, arrays):
    ts = bars.ts[: len(arrays["close"])]
    extras = {"spread": arrays["spread"]}
    prices = {name: arrays[name] for name in PRICES}
    return BarPanel.from_arrays(ts, bars.symbols, bars.bar_length, extras=extras, **prices)


def over_time(values, n_times):
    """An array `(…, time or 1, symbol)` with the time written out and first."""
    times = np.broadcast_to(values, (*values.shape[:-2], n_times, values.shape[-1]))
    return np.moveaxis(times, -2, 0)


def assert_causal(compute):
    """Rows before a cut do not depend on rows behind it, bit for bit."""
    bars = sample_bars()
    arrays = {name: bars[name].copy() for name in (*PRICES, "spread")}
    assert_prefix_invariant(lambda a: compute(rebuilt(bars, a)), arrays, cuts=CUTS)


def rates():
    ts = pd.date_range("2023-12-20", periods=N_BARS + 30, freq="D", tz="UTC").as_unit("us")
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + pd.Timedelta("2h"),
            "symbol": "EUR/USD",
            "rate": 1.1 + 0.001 * np.arange(len(ts)) % 0.1,
        }
    )


def settlements():
    ts = pd.date_range("2024-01-01", periods=3 * N_BARS, freq="8h", tz="UTC").as_unit("us")
    rate = 1e-4 * np.sin(np.arange(len(ts)))
    return pd.DataFrame({"ts": ts, "symbol": SYMBOLS[0], "rate": rate, "mark_price": np.nan})


def model_terms(family, kind, bars):
    model = ExecutionModel(**{"funding_model": "assume_zero", family: kind()})
    finer = None
    if model.fills.detail is not None:
        detail = model.fills.detail
        parts = bars.bar_length // detail
        ts = bars.ts[0] + np.arange(parts * len(bars)) * np.timedelta64(detail)
        prices = {name: np.repeat(bars[name], parts, axis=0) for name in PRICES[:4]}
        finer = BarPanel.from_arrays(ts, bars.symbols, detail, **prices)
    terms = model.terms(bars, detail=finer, funding=settlements(), rates=rates())
    return terms, model.priced(bars)


def leaves(terms):
    """All arrays and numbers of nested named tuples, by name."""
    found = {}
    for name, value in terms._asdict().items():
        inner = leaves(value) if hasattr(value, "_asdict") else {"": value}
        found |= {f"{name}.{key}".rstrip("."): leaf for key, leaf in inner.items()}
    return found


@every_plug_in
def test_plug_in_is_made_without_parameters_named_and_documented(kind):
    made = kind()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", made.name)
    assert made == kind(**made.parameters())
    assert len(made.digest()) == 64
    assert kind.__doc__
    assert "(" not in kind.__doc__.split("\n")[0][:1]  # not the signature of a bare dataclass
    with pytest.raises(AttributeError):
        made.name = "other"


@every_sizer
def test_sizer_gives_known_sizes_of_one_unit(kind):
    bars = sample_bars()
    sides = np.where(np.arange(bars.close.size).reshape(bars.close.shape) % 3, 1.0, -1.0)
    for n_bars in (0, 1, 2, 30, N_BARS):
        part = bars.rows(slice(0, n_bars))
        for side in (None, sides[:n_bars]):
            found = kind().sizes(part, side)
            assert found.unit == kind.unit
            assert found.size.shape in ((n_bars, len(SYMBOLS)), (1, len(SYMBOLS)))
            assert found.size.flags.c_contiguous
            assert np.isfinite(found.size).all()
            assert (found.size >= 0.0).all()
    assert found.size.max() > 0.0


@every_sizer
def test_sizer_is_causal_bit_for_bit(kind):
    assert_causal(lambda bars: over_time(kind().sizes(bars).size, len(bars)))


@every_sizer
def test_permuting_symbols_permutes_the_sizes(kind):
    bars = sample_bars()
    plain, other = kind().sizes(bars).size, kind().sizes(moved(bars)).size
    np.testing.assert_allclose(other, plain[:, ORDER], rtol=1e-7, atol=1e-12)


@every_sizer
def test_sizer_gives_nothing_to_what_has_no_price_yet(kind):
    whole, absent = sample_bars(), np.arange(len(SYMBOLS)) == 1
    bars = replace(whole, **{name: np.where(absent, np.nan, whole[name]) for name in PRICES})
    found = kind().sizes(bars).size
    assert np.isfinite(found).all()
    if len(found) > 1:
        assert (found[:, 1] == 0.0).all()


def exits_of(kind, bars):
    return exit_terms([StopLoss(pct=0.04), kind()], bars)


@every_exit
def test_exit_gives_distances_above_zero_or_none(kind):
    bars = sample_bars()
    found = exits_of(kind, bars)
    assert found.kind.dtype == np.int8
    assert ((found.kind >= 0) & (found.kind <= TIME_BARS)).all()
    assert found.level.shape[0] == len(found.kind) > 0
    assert found.level.shape[1:] in ((N_BARS, len(SYMBOLS)), (1, len(SYMBOLS)))
    known = found.level[~np.isnan(found.level)]
    assert known.size > 0
    assert (known > 0.0).all()
    assert np.isfinite(known).all()


@every_exit
def test_exit_is_causal_bit_for_bit(kind):
    assert_causal(lambda bars: over_time(exits_of(kind, bars).level, len(bars)))


@every_exit
def test_permuting_symbols_permutes_the_exits(kind):
    bars = sample_bars()
    plain, other = exits_of(kind, bars).level, exits_of(kind, moved(bars)).level
    np.testing.assert_allclose(other, plain[:, :, ORDER], rtol=1e-12)


@every_limit
def test_limit_tightens_its_own_fields_alone(kind):
    bars = sample_bars()
    own = set(kind().limits(bars))
    neutral, found = neutral_limits(len(SYMBOLS)), limit_terms([kind()], bars)
    assert own
    for name, value in found._asdict().items():
        assert isinstance(value, type(getattr(neutral, name)))
        if name not in own:
            assert_array_equal(value, getattr(neutral, name))
    assert any(not np.array_equal(getattr(found, n), getattr(neutral, n)) for n in own)


@every_limit
def test_limit_does_not_look_at_prices(kind):
    bars = sample_bars()
    other = bars.rows(slice(0, 5))
    for name, value in kind().limits(bars).items():
        assert_array_equal(value, kind().limits(other)[name])


@every_model
def test_model_gives_terms_of_the_types_that_the_kernel_knows(family, kind):
    bars = sample_bars()
    found, priced = model_terms(family, kind, bars)
    neutral = leaves(frictionless(bars))
    for name, value in leaves(found).items():
        assert type(value) is type(neutral[name]), name
        if isinstance(value, np.ndarray):
            assert value.dtype == neutral[name].dtype, name
            assert value.ndim == neutral[name].ndim, name
            assert value.flags.c_contiguous, name
            unknown = np.isnan(value)
            part, _, field = name.rpartition(".")
            if part == "detail" and field in PRICES and value.size:  # none in a bar that is none
                missing = np.isnan(bars[field])
                assert_array_equal(unknown, missing.repeat(len(value) // len(bars), axis=0))
            else:
                assert not unknown.any() or name == "carry.funding_mark", name
    slippage = ("slippage_model", "half_spread"), ("slippage_model", "sqrt_volume")
    assert (priced is bars) == ((family, kind.name) not in slippage)
    for name in set(priced.extras) & {"volatility", "average_volume"}:
        assert priced[name].shape == bars.close.shape
        assert not np.isnan(priced[name]).any()


@every_model
def test_model_is_causal_bit_for_bit(family, kind):
    def compute(bars):
        terms, priced = model_terms(family, kind, bars)
        given = (terms.instruments.fx, *priced.extras.values())
        columns = [over_time(values, len(bars)) for values in given]
        return np.concatenate(columns, axis=1)

    assert_causal(compute)


@every_model
def test_permuting_symbols_permutes_the_terms(family, kind):
    bars = sample_bars()
    plain, other = (model_terms(family, kind, panel) for panel in (bars, moved(bars)))
    for name, value in (leaves(plain[0]) | dict(plain[1].extras)).items():
        turned = (leaves(other[0]) | dict(other[1].extras))[name]
        if name.startswith(("margin.tier", "margin.inverse")):
            assert_array_equal(turned, value[ORDER])
        elif name == "carry.funding_symbol":
            assert_array_equal(ORDER[turned], value)
        elif np.shape(value)[-1:] == (len(SYMBOLS),):
            np.testing.assert_allclose(turned, value[..., ORDER], rtol=1e-12)
        else:
            assert_array_equal(turned, value)


def test_a_planted_look_ahead_is_found():
    def tomorrow(bars):
        return np.vstack([bars.close[1:], bars.close[-1:]])

    from quant_assets.core.errors import LookAheadError

    with pytest.raises(LookAheadError):
        assert_causal(tomorrow)


def test_every_family_has_its_plug_ins():
    found = {key: sorted(n for k, n in EXECUTION if k == key) for key in FAMILIES}
    assert {"next_open", "realistic_volume", "detail_timeframe"} <= set(found["fill_model"])
    assert all(len(names) >= 2 for names in found.values())
    assert sample_bars().bar_length == DAY
