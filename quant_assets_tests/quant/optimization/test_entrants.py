"""The stage `target_weights`: contract, fallbacks, stream space, and nothing from the future."""

import math

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.alpha_streams import AlphaStreams
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.core.errors import ConfigError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.optimization import entrants as stage_module
from quant_assets.quant.optimization.base import Constraints
from quant_assets.quant.optimization.entrants import entrant_classes, optimize_window
from quant_assets.quant.optimization.equal_weight import EqualWeight
from quant_assets.quant.optimization.mean_variance import MeanVariance
from quant_assets.quant.optimization.minimum_cvar import MinimumCVaR
from quant_assets_tests.quant.optimization.frames import (
    SECOND,
    no_returns,
    optimization_context,
    returns_frame,
    streams,
    weights_of,
)
from quant_assets_tests.quant.optimization.samples import market

SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
ENTRANTS = [
    "average_of_entrants",
    "black_litterman",
    "equal_risk_contribution",
    "equal_weight",
    "hierarchical_equal_risk",
    "hierarchical_risk_parity",
    "inverse_volatility",
    "kelly",
    "maximum_decorrelation",
    "maximum_diversification",
    "maximum_sharpe",
    "mean_variance",
    "minimum_cvar",
    "minimum_semivariance",
    "minimum_variance",
    "minimum_worst_loss",
    "nested_clusters",
    "robust_mean_variance",
]


def history(n_rows: int = 252, symbols: list[str] = SYMBOLS, seed: int = 1) -> pd.DataFrame:
    return returns_frame(market(n_rows, len(symbols), seed=seed), symbols)


# enough kinds of answers for what the stage itself does
SOME = [
    "equal_risk_contribution",
    "equal_weight",
    "maximum_sharpe",
    "mean_variance",
    "minimum_cvar",
    "minimum_variance",
]


def run(alpha_streams, returns_matrix, telemetry=None, **limits) -> pd.DataFrame:
    frame = optimize_window(
        optimization_context(**({"entrants": SOME} | limits)),
        telemetry or NullTelemetry(),
        alpha_streams=alpha_streams,
        returns_matrix=returns_matrix,
    )
    return TargetWeights.check_frame(frame, where="target_weights")


def test_optimize_window_all_entrants_satisfy_the_contract():
    frame = run(streams(SYMBOLS), history(), entrants=None)
    assert frame["entrant"].unique().tolist() == ENTRANTS
    assert (frame.groupby("entrant")["symbol"].agg(list).map(len) == 6).all()
    np.testing.assert_allclose(frame.groupby("entrant")["weight"].sum(), 1.0, atol=1e-9)
    assert (frame["status"] == "optimal").all()
    assert (frame["fallback"] == "").all()
    solved = frame["entrant"].isin(["minimum_variance", "maximum_sharpe", "minimum_cvar"])
    assert frame.loc[solved, "weight"].max() <= 0.2 + 1e-8
    assert frame.loc[solved, "residual"].max() <= 1e-8


def test_optimize_window_equals_the_optimizer_called_by_hand():
    expected = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
    frame = run(streams(SYMBOLS, expected=expected), history(), risk_aversion=3.0)
    by_hand = MeanVariance(constraints=Constraints(upper=0.2), risk_aversion=3.0)
    by_hand.fit(market(252, 6, seed=1), expected_returns=expected)
    weights = list(weights_of(frame, "mean_variance").values())
    np.testing.assert_allclose(weights, by_hand.weights_, atol=1e-12)


def test_optimize_window_same_input_gives_the_same_bytes():
    first, second = (run(streams(SYMBOLS), history()) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_optimize_window_renamed_symbols_rename_the_result():
    mirrored = SYMBOLS[::-1]
    plain = run(streams(SYMBOLS), returns_frame(market(252, 6), SYMBOLS))
    renamed = run(streams(mirrored), returns_frame(market(252, 6), mirrored))
    for entrant in SOME:
        before, after = weights_of(plain, entrant), weights_of(renamed, entrant)
        for old, new in zip(SYMBOLS, mirrored, strict=True):
            assert after[new] == pytest.approx(before[old], abs=1e-8)


def test_optimize_window_no_streams_is_empty():
    frame = run(AlphaStreams.empty(), history())
    assert frame.empty


def test_optimize_window_other_symbols_do_not_matter():
    extra = returns_frame(market(252, 7, seed=1), [*SYMBOLS, "ZZZ"])
    extra = extra[extra["symbol"] != "ZZZ"].reset_index(drop=True)
    noisy = pd.concat([extra, returns_frame(np.full((252, 1), np.nan), ["ZZZ"])])
    noisy = noisy.sort_values(["ts", "symbol"], ignore_index=True)
    pd.testing.assert_frame_equal(run(streams(SYMBOLS), extra), run(streams(SYMBOLS), noisy))


def test_optimize_window_rows_with_nan_are_dropped():
    values = market(252, 6, seed=1)
    holed = np.insert(values, 100, np.nan, axis=0)
    holed[100, :3] = 5.0  # a wild row that must not count, because the others are missing
    first = run(streams(SYMBOLS), returns_frame(values, SYMBOLS))
    second = run(streams(SYMBOLS), returns_frame(holed, SYMBOLS))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("n_rows", [0, 1, 59])
def test_optimize_window_short_history_falls_back_to_equal_weights(n_rows):
    frame = run(streams(SYMBOLS), history(n_rows) if n_rows else no_returns())
    assert (frame["fallback"] == "history").all()
    assert frame["status"].str.startswith(f"{n_rows} whole rows, 6 streams").all()
    np.testing.assert_allclose(frame["weight"], 1 / 6)
    assert frame["objective"].isna().all()
    assert frame["residual"].max() <= 1e-12


def test_optimize_window_sixty_rows_are_enough():
    assert (run(streams(SYMBOLS), history(60))["fallback"] == "").all()


def test_optimize_window_symbol_without_history_falls_back():
    frame = run(streams([*SYMBOLS, "NEW"]), history())
    assert (frame["fallback"] == "history").all()
    np.testing.assert_allclose(frame["weight"], 1 / 7)


def test_optimize_window_one_stream_gets_the_budget_and_says_why():
    frame = run(streams(["AAA"]), history())
    assert frame["weight"].tolist() == [1.0] * len(SOME)
    assert (frame["fallback"] == "history;cap_relaxed").all()


def test_optimize_window_cap_that_cannot_hold_the_budget_is_relaxed():
    frame = run(streams(SYMBOLS[:4]), history())  # 4 x 0.2 < 1
    assert (frame["fallback"] == "cap_relaxed").all()
    for entrant in ("minimum_variance", "mean_variance", "maximum_sharpe", "minimum_cvar"):
        np.testing.assert_allclose(list(weights_of(frame, entrant).values()), 0.25, atol=1e-9)


def test_optimize_window_failing_entrant_gets_equal_weights_and_its_error():
    telemetry = RecordingTelemetry()
    entrants = [*SOME, "average_of_entrants"]
    frame = run(streams(SYMBOLS, expected=[-0.1] * 6), history(), telemetry, entrants=entrants)
    failed = frame[frame["entrant"] == "maximum_sharpe"]
    assert (failed["fallback"] == "equal_weight").all()
    assert failed["status"].iloc[0].startswith("no feasible portfolio has a positive expected")
    np.testing.assert_allclose(failed["weight"], 1 / 6)
    average = frame[frame["entrant"] == "average_of_entrants"]
    assert (average["fallback"] == "without maximum_sharpe").all()
    others = ~frame["entrant"].isin(["maximum_sharpe", "average_of_entrants"])
    assert (frame.loc[others, "fallback"] == "").all()
    logged = {row["scope"]: row for row in telemetry.rows}
    assert logged["maximum_sharpe"]["fallback"] == "equal_weight"


def test_optimize_window_fits_the_members_of_the_average_once(monkeypatch):
    entrants, fits = ["average_of_entrants", "minimum_cvar"], []
    fit = MinimumCVaR.fit

    def counted(self, *arguments, **named):
        fits.append(self)
        return fit(self, *arguments, **named)

    monkeypatch.setattr(MinimumCVaR, "fit", counted)
    both = run(streams(SYMBOLS), history(), entrants=entrants)
    assert len(fits) == 1
    alone = run(streams(SYMBOLS), history(), entrants=entrants[:1])
    average = both[both["entrant"] == "average_of_entrants"].reset_index(drop=True)
    pd.testing.assert_frame_equal(average, alone, check_exact=True)


def test_optimize_window_telemetry_has_one_row_per_entrant_with_seconds():
    telemetry = RecordingTelemetry()
    run(streams(SYMBOLS), history(), telemetry)
    assert [row["scope"] for row in telemetry.rows] == SOME
    assert all(row["seconds"] > 0 for row in telemetry.rows)
    assert all(row["kind"] == "solver" for row in telemetry.rows)


def test_optimize_window_short_stream_has_a_negative_weight():
    frame = run(
        streams(["AAA", "BBB"], sides=[1, -1]),
        history(symbols=["AAA", "BBB"]),
        budget=0.0,
        min_weight=-0.6,
        max_weight=0.6,
    )
    weights = weights_of(frame, "equal_weight")
    assert weights == {"AAA": 0.5, "BBB": -0.5}  # the streams sum to the gross limit
    both = weights_of(frame, "minimum_variance")
    assert both["AAA"] > 0 > both["BBB"]


def test_optimize_window_short_stream_learns_from_the_mirrored_returns():
    values = market(252, 3, seed=4)
    shorted = values * np.array([1.0, -1.0, 1.0])
    limits = {"budget": 0.0, "min_weight": -1.0, "max_weight": 0.6}
    names = ["AAA", "BBB", "CCC"]
    short = run(streams(names, sides=[1, -1, 1]), returns_frame(shorted, names), **limits)
    long = run(streams(names), returns_frame(values, names), **limits)
    for entrant in SOME:
        mirrored = weights_of(short, entrant)
        mirrored["BBB"] *= -1
        assert mirrored == pytest.approx(weights_of(long, entrant), abs=1e-9)


def test_optimize_window_both_sides_of_one_symbol_are_summed():
    frame = run(
        streams(["AAA", "AAA", "BBB"], sides=[1, -1, 1]),
        history(symbols=["AAA", "BBB"]),
        budget=0.0,
        min_weight=-1.0,
        max_weight=1.0,
        entrants=["equal_weight"],
    )
    assert weights_of(frame, "equal_weight") == pytest.approx({"AAA": 0.0, "BBB": 1 / 3})


def test_optimize_window_named_entrants_only():
    frame = run(streams(SYMBOLS), history(), entrants=["minimum_variance", "equal_weight"])
    assert frame["entrant"].unique().tolist() == ["equal_weight", "minimum_variance"]


def test_entrant_classes_unknown_name_lists_the_known():
    with pytest.raises(ConfigError, match=r"names \['luck'\]; known: \['average_of"):
        entrant_classes(OptimizationParameters(entrants=["equal_weight", "luck"]))


def test_entrant_classes_default_leaves_out_what_needs_more_or_is_slow():
    assert list(entrant_classes(OptimizationParameters())) == ENTRANTS
    slow = ["minimum_cdar", "stacking"]
    assert list(entrant_classes(OptimizationParameters(entrants=slow))) == slow


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("benchmark_tracking", "benchmark"),
        ("risk_budgeting", "budgets"),
        ("foreign", "import_path"),
    ],
)
def test_entrant_classes_without_what_it_needs_is_refused(name, lacking):
    with pytest.raises(ConfigError, match=f"'{name}', which needs {lacking}"):
        entrant_classes(OptimizationParameters(entrants=[name]))


@pytest.mark.slow
def test_optimize_window_foreign_estimator_takes_part_under_its_name():
    foreign = {"one_over_n": {"import_path": "skfolio.optimization.EqualWeighted"}}
    frame = run(streams(SYMBOLS), history(), foreign=foreign, entrants=["one_over_n"])
    assert frame["entrant"].unique().tolist() == ["one_over_n"]
    np.testing.assert_allclose(frame["weight"], 1 / 6)
    assert (frame["solver"] == "skfolio.optimization.EqualWeighted").all()
    assert list(entrant_classes(OptimizationParameters(foreign=foreign))) == sorted(
        [*ENTRANTS, "one_over_n"]
    )


def test_entrant_classes_foreign_name_of_ours_is_refused():
    foreign = {"kelly": {"import_path": "skfolio.optimization.EqualWeighted"}}
    with pytest.raises(ConfigError, match=r"foreign names \['kelly'\]"):
        entrant_classes(OptimizationParameters(foreign=foreign))


def test_entrant_classes_reserved_name_is_refused(monkeypatch):
    monkeypatch.setattr(stage_module, "discover", lambda *_: {"champion": EqualWeight})
    with pytest.raises(ConfigError, match="'champion', the name of the house portfolio"):
        entrant_classes(OptimizationParameters())


def test_optimize_window_older_streams_are_ignored():
    older = streams(["AAA", "BBB"])
    newer = streams(SYMBOLS, key=SECOND)
    both = pd.concat([older, newer], ignore_index=True)
    pd.testing.assert_frame_equal(run(both, history()), run(newer, history()))


def test_optimize_window_risk_parameters_reach_the_optimizers():
    returns = history()
    bold = run(streams(SYMBOLS, expected=[0.0] * 5 + [0.5]), returns, risk_aversion=0.01)
    shy = run(streams(SYMBOLS, expected=[0.0] * 5 + [0.5]), returns, risk_aversion=1000.0)
    assert weights_of(bold, "mean_variance")["FFF"] > weights_of(shy, "mean_variance")["FFF"]
    deep, shallow = (
        run(streams(SYMBOLS), returns, cvar_level=level, entrants=["minimum_cvar"])
        for level in (0.99, 0.6)
    )
    assert deep["objective"].iloc[0] > shallow["objective"].iloc[0]
    assert not math.isnan(deep["objective"].iloc[0])
