import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.alpha_signals import AlphaSignals
from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.contracts.candidate_clusters import CandidateClusters
from quant_assets.core.errors import DataError
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.quant.synthesis.alpha_streams import alpha_streams_window, stream_returns
from quant_assets_tests.quant.synthesis.synthetic import START, synthesis_context

NAN = np.nan


def _decided(symbols, decided_at=START):
    return {
        "decided_at": pd.DatetimeIndex([decided_at] * len(symbols)).as_unit("us"),
        "symbol": pd.Series(symbols, dtype="str"),
    }


def _signals(symbols, alpha):
    alpha = np.array(alpha)
    frame = _decided(symbols) | {
        "alpha": alpha,
        "expected_return": alpha * 0.05,
        "value_rank": alpha,
    }
    return AlphaSignals.check_frame(pd.DataFrame(frame), where="test")


def _clusters(symbols, labels):
    frame = pd.DataFrame(_decided(symbols) | {"cluster": labels, "mean_correlation": NAN})
    return CandidateClusters.check_frame(frame, where="test")


def _streams(signals, clusters, sides=("long", "short")):
    frame = alpha_streams_window(
        synthesis_context(sides=list(sides)),
        NullTelemetry(),
        alpha_signals=signals,
        candidate_clusters=clusters,
    )
    return AlphaStreams.check_frame(frame, where="test")


def test_alpha_streams_by_hand():
    frame = _streams(_signals(["A", "B"], [0.5, -0.2]), _clusters(["A", "B"], [1, 2]))
    assert frame["stream"].tolist() == ["A:long", "A:short", "B:long", "B:short"]
    assert frame["symbol"].tolist() == ["A", "A", "B", "B"]
    assert frame["side"].tolist() == [1, -1, 1, -1]
    assert frame["cluster"].tolist() == [1, 1, 2, 2]
    assert frame["alpha"].tolist() == [0.5, -0.5, -0.2, 0.2]
    np.testing.assert_allclose(frame["expected_return"], [0.025, -0.025, -0.01, 0.01])


@pytest.mark.parametrize(
    ("sides", "expected"),
    [(["long"], [1]), (["short"], [-1]), (["short", "long", "long"], [1, -1]), ([], [])],
)
def test_alpha_streams_take_the_sides_of_the_venue(sides, expected):
    frame = _streams(_signals(["A"], [0.5]), _clusters(["A"], [1]), sides)
    assert frame["side"].tolist() == expected


def test_alpha_streams_hold_only_symbols_with_signal_and_cluster():
    frame = _streams(_signals(["A", "B"], [0.5, 0.1]), _clusters(["B", "C"], [1, 2]), ["long"])
    assert frame["symbol"].tolist() == ["B"]


def test_alpha_streams_of_empty_upstream_are_empty():
    signals, clusters = _signals(["A"], [0.5]), _clusters(["A"], [1])
    assert len(_streams(AlphaSignals.empty(), clusters)) == 0
    assert len(_streams(signals, CandidateClusters.empty())) == 0


def test_alpha_streams_are_sorted_by_stream_for_ccxt_symbols():
    symbols = ["BTC", "BTC/USDT", "BTC/USDT:USDT", "NA"]
    frame = _streams(_signals(symbols, [0.1] * 4), _clusters(symbols, [1] * 4))
    assert frame["stream"].tolist() == sorted(frame["stream"])
    assert "BTC/USDT:USDT:short" in set(frame["stream"])


def test_alpha_streams_have_no_negative_zero():
    frame = _streams(_signals(["A"], [0.0]), _clusters(["A"], [1]))
    assert not np.signbit(frame[["alpha", "expected_return"]].to_numpy()).any()


def test_stream_returns_of_the_short_side_are_minus_the_return():
    returns = np.array([[0.1, -0.2], [NAN, 0.05]])
    streams = _streams(_signals(["A", "B"], [0.5, -0.2]), _clusters(["A", "B"], [1, 2]))
    result = stream_returns(returns, ("A", "B"), streams)
    expected = [[0.1, -0.1, -0.2, 0.2], [NAN, NAN, 0.05, -0.05]]
    np.testing.assert_array_equal(result, expected)


def test_stream_returns_of_the_identity_are_the_raw_returns():
    returns = np.random.default_rng(0).normal(size=(20, 3))
    streams = _streams(
        _signals(["A", "B", "C"], [0.1] * 3), _clusters(["A", "B", "C"], [1] * 3), ["long"]
    )
    np.testing.assert_array_equal(stream_returns(returns, ("A", "B", "C"), streams), returns)


def test_stream_returns_of_permuted_symbols_are_unchanged():
    returns = np.random.default_rng(0).normal(size=(20, 3))
    streams = _streams(_signals(["A", "B", "C"], [0.1] * 3), _clusters(["A", "B", "C"], [1] * 3))
    moved = stream_returns(returns[:, [2, 0, 1]], ("C", "A", "B"), streams)
    np.testing.assert_array_equal(moved, stream_returns(returns, ("A", "B", "C"), streams))


def test_stream_returns_without_streams_have_no_columns():
    assert stream_returns(np.zeros((4, 2)), ("A", "B"), AlphaStreams.empty()).shape == (4, 0)


def test_stream_returns_of_an_unknown_symbol_name_it():
    streams = _streams(_signals(["A", "Z"], [0.5, 0.1]), _clusters(["A", "Z"], [1, 1]))
    with pytest.raises(DataError, match=r"\['Z'\].* 2 symbols"):
        stream_returns(np.zeros((1, 2)), ("A", "B"), streams)
