"""Every planted leak is caught, no honest strategy is suspected."""

from datetime import timedelta

import pytest

from quant_assets.core.errors import DataError, LookAheadError
from quant_assets.quant.leaks.settings import Settings
from quant_assets.quant.leaks.strategies import assert_no_leak, check_strategy
from quant_assets.quant.market.resample import BarLength, resample_bars
from quant_assets.quant.market.timeframes import Timeframe, align
from quant_assets_tests.quant.leaks.honest import HONEST
from quant_assets_tests.quant.leaks.markets import market
from quant_assets_tests.quant.leaks.planted import LEAKS

pytestmark = pytest.mark.slow

BARS = {late: market(late=late) for late in (0, 12)}
MOST_ROWS = 1_000 + 200  # those that are free on few rows, and a second look at a suspicion
HEAD = 3 * 12 + 200  # of the strategy in both forms, bar by bar: once, once more, and 100 rows
every_leak = pytest.mark.parametrize("kind", LEAKS, ids=[kind.__name__ for kind in LEAKS])
every_honest = pytest.mark.parametrize("kind", HONEST, ids=[kind.__name__ for kind in HONEST])


def bars_of(kind):
    return BARS[getattr(kind, "late", 0)]


def test_corpus_has_the_size_that_it_promises():
    assert len(LEAKS) >= 25
    assert len(HONEST) >= 25
    assert all(kind.__doc__ for kind in [*LEAKS, *HONEST])


@every_leak
def test_planted_leak_is_caught_and_placed(kind):
    report = check_strategy(kind(), bars_of(kind))
    assert report.verdict == "leak"
    assert not report.trusted
    for leak in report.leaks:
        assert leak.row <= leak.cut
        assert leak.changed > 0
        assert leak.symbol in {"AAA", "BBB", "CCC", "DDD"}
        assert leak.cause
        assert leak.ts in str(report)
    with pytest.raises(LookAheadError, match=leak.output):
        report.raise_if_untrusted()


@every_honest
def test_honest_strategy_is_trusted(kind):
    report = check_strategy(kind(), bars_of(kind))
    assert report.verdict == "trusted", str(report)
    assert not report.failed
    assert len(report.probes) >= 2
    bar_by_bar = 2 * HEAD + 100 if kind.__name__ == "BothForms" else 0
    assert report.n_rows * report.cost <= MOST_ROWS + bar_by_bar


@pytest.mark.parametrize(("n_bars", "late"), [(480, 12), (1_500, 36)])
def test_verdicts_hang_neither_on_the_seed_nor_on_the_market(n_bars, late):
    """On many rows the budget leaves few cuts: they must do."""
    bars = {0: market(n_bars, seed=50), 12: market(n_bars, late=late, seed=50)}
    wrong = []
    for kinds, verdict in ((LEAKS, "leak"), (HONEST, "trusted")):
        for kind in kinds:
            settings = Settings(seed=1, start_up=False)
            chosen = bars[getattr(kind, "late", 0)]
            if check_strategy(kind(), chosen, settings=settings).verdict != verdict:
                wrong.append(kind.__name__)
    assert wrong == []


def test_naive_join_of_longer_bars_cannot_be_written():
    """Labelled by their open time, or joined without the time at which they were known."""
    hour, four = timedelta(hours=1), timedelta(hours=4)
    rows = BARS[0].frame()
    longer = resample_bars(rows, BarLength(four, hour))
    clock = Timeframe.of_bars(rows, bar_length=hour)
    with pytest.raises(LookAheadError, match="before its bar of 4:00:00 ends"):
        Timeframe.of_bars(longer.assign(available_at=longer["ts"]), bar_length=four)
    with pytest.raises(LookAheadError, match="belong to bars, which end after their ts"):
        Timeframe.of_instants(longer.assign(available_at=longer["ts"]))
    with pytest.raises(DataError, match="available_at"):
        Timeframe.of_bars(longer.drop(columns="available_at"), bar_length=four)
    with pytest.raises(TypeError, match="does not tell when its rows are known"):
        align(longer, clock=clock, max_age=four)


def test_assert_no_leak_raises_for_a_leak_only():
    assert_no_leak(HONEST[0](), BARS[0])
    with pytest.raises(LookAheadError, match="Likely the next row"):
        assert_no_leak(LEAKS[0](), BARS[0])
