"""Streams of strategies: what they hold, by what their record proves."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quant_assets.contracts.alpha_signals import AlphaSignals
from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.core.context import StreamsContext
from quant_assets.core.errors import LookAheadError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.core.venues import AlphaParameters, SynthesisParameters
from quant_assets.quant.synthesis.alpha_streams import alpha_streams_window
from quant_assets.quant.synthesis.strategy_streams import MIN_ROWS, trust
from quant_assets_tests.quant.synthesis.synthetic import CELL, START

ROWS = 120
DAY = pd.Timedelta(days=1)
TS = pd.date_range(end=pd.Timestamp(START) - DAY, periods=ROWS, freq="D").as_unit("us")
SYMBOLS = ["A", "B", "C", "D"]
MOVES = np.random.default_rng(5).normal(0.0, 0.02, size=(ROWS, len(SYMBOLS)))
MOVES[0] = np.nan
EARNED = np.random.default_rng(6).normal(0.003, 0.01, size=ROWS)


def decided(**columns) -> pd.DataFrame:
    moment = pd.DatetimeIndex([START] * len(SYMBOLS)).as_unit("us")
    symbols = pd.Series(SYMBOLS, dtype="str")
    return pd.DataFrame({"decided_at": moment, "symbol": symbols, **columns})


SIGNALS = AlphaSignals.check_frame(
    decided(alpha=[0.5, -0.5, 0.0, 0.1], expected_return=0.01), where="test"
)
# D is scored and not clustered
CLUSTERS = CandidateClusters.check_frame(
    decided(cluster=[1, 2, 1, 2], mean_correlation=np.nan).iloc[:3], where="test"
)
MATRIX = pd.DataFrame(
    {
        "ts": TS.repeat(len(SYMBOLS)),
        "available_at": TS.repeat(len(SYMBOLS)) + DAY,
        "symbol": pd.Series(SYMBOLS * ROWS, dtype="str"),
        "returns": MOVES.ravel(),
    }
)


def stances(*rows: tuple[int, str, float]) -> pd.DataFrame:
    """Rows of (bars before the decision, symbol, stance), oldest first."""
    ts = TS[[ROWS - row[0] for row in rows]]
    return pd.DataFrame(
        {
            "ts": ts,
            "available_at": ts + DAY,
            "strategy_name": pd.array(["dip"] * len(rows), dtype="str"),
            "symbol": pd.array([row[1] for row in rows], dtype="str"),
            "stance": [row[2] for row in rows],
        }
    )


def account(returns: np.ndarray = EARNED) -> pd.DataFrame:
    ts = TS[ROWS - len(returns) :]
    return pd.DataFrame({"ts": ts, "available_at": ts + DAY, "returns": returns})


HELD = stances(
    *((3, "A", 1.0), (2, "A", 1.0), (2, "B", -0.5), (2, "C", 1.0)),
    *((1, "A", 0.5), (1, "B", -0.5), (1, "C", 0.0), (1, "D", 1.0)),
)


def offered(sides=("long", "short"), **strategies: pd.DataFrame) -> pd.DataFrame:
    context = StreamsContext(
        **CELL,
        decided_at=START,
        synthesis=SynthesisParameters(sides=list(sides)),
        alpha=AlphaParameters(month_bars=21, annual_alpha=0.04),
    )
    frame = alpha_streams_window(
        context,
        NullTelemetry(),
        alpha_signals=SIGNALS,
        candidate_clusters=CLUSTERS,
        **strategies,
    )
    return AlphaStreams.check_frame(frame, where="test")


def of_dip(sides=("long", "short"), **changes: pd.DataFrame) -> pd.DataFrame:
    inputs = {"dip_stances": HELD, "dip_equity": account(), "returns_matrix": MATRIX, **changes}
    frame = offered(sides, **inputs)
    return frame[frame["stream"].str.endswith(":dip")].set_index("stream")


def test_streams_of_a_strategy_are_what_it_holds_last_among_the_candidates():
    frame = of_dip()
    assert frame.index.tolist() == ["A:long:dip", "B:short:dip"], "C was left, D is no candidate"
    assert frame["side"].tolist() == [1, -1]
    assert frame["cluster"].tolist() == [1, 2]
    assert frame["symbol"].tolist() == ["A", "B"]


def probability(own: np.ndarray, hurdle: float) -> float:
    """PSR of Bailey and Lopez de Prado (2012), equation 3, with scipy's moments."""
    ratio = own.mean() / own.std(ddof=1)
    skew, tails = stats.skew(own), stats.kurtosis(own, fisher=False)
    error = np.sqrt((1 - skew * ratio + (tails - 1) / 4 * ratio**2) / (len(own) - 1))
    return float(stats.norm.cdf((ratio - hurdle) / error))


def test_alpha_of_a_stream_is_stance_times_what_the_record_proves_beyond_the_market():
    market = MOVES[1:, :3].mean(axis=1)  # of the candidates that are clustered
    hurdle = max(0.0, market.mean() / market.std(ddof=1))
    worth = 2 * probability(EARNED[1:], hurdle) - 1
    assert 0.1 < worth < 0.9999
    frame = of_dip()
    np.testing.assert_allclose(frame["alpha"], [0.5 * worth, 0.5 * worth], rtol=1e-9)
    np.testing.assert_allclose(frame["expected_return"], 0.04 * frame["alpha"], rtol=1e-12)


def test_a_record_that_proves_nothing_gives_streams_without_alpha():
    for returns in (-EARNED, EARNED[: MIN_ROWS - 1], np.zeros(ROWS)):
        frame = of_dip(dip_equity=account(returns))
        assert frame["alpha"].tolist() == [0.0, 0.0]


def test_a_strategy_that_does_as_the_market_does_proves_nothing():
    assert trust(np.abs(EARNED), np.abs(EARNED)) == pytest.approx(0.0, abs=1e-12)
    assert trust(EARNED, np.zeros(ROWS)) == trust(EARNED, -np.abs(EARNED))


@pytest.mark.parametrize(
    ("sides", "expected"), [(["long"], ["A:long:dip"]), (["short"], ["B:short:dip"]), ([], [])]
)
def test_streams_take_the_sides_of_the_venue(sides, expected):
    assert of_dip(sides).index.tolist() == expected


def test_plain_streams_stay_as_they_are_beside_those_of_strategies():
    inputs = {"dip_stances": HELD, "dip_equity": account(), "returns_matrix": MATRIX}
    other = {"sma_stances": HELD.iloc[:1], "sma_equity": account()}
    plain, both = offered(), offered(**inputs, **other)
    strategies = both["stream"].str.endswith((":dip", ":sma"))
    assert strategies.sum() == 3
    pd.testing.assert_frame_equal(both[~strategies].reset_index(drop=True), plain)
    assert both["stream"].tolist() == sorted(both["stream"])


def test_a_strategy_that_holds_nothing_adds_no_stream():
    assert len(of_dip(dip_stances=HELD.iloc[:0])) == 0


@pytest.mark.parametrize("asset", ["dip_stances", "dip_equity", "returns_matrix"])
def test_rows_that_were_not_known_at_the_decision_are_refused(asset):
    late = {"dip_stances": HELD, "dip_equity": account(), "returns_matrix": MATRIX}[asset]
    known = pd.Series(pd.Timestamp(START) + DAY, index=late.index).astype("datetime64[us, UTC]")
    with pytest.raises(LookAheadError, match=asset):
        of_dip(**{asset: late.assign(available_at=known)})
