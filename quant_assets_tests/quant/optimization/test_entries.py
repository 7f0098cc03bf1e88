"""Selections, cost models, and the entrants that they make."""

import numpy as np
import pytest

from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.core.errors import ConfigError
from quant_assets.core.registry import discover
from quant_assets.core.telemetry import NullTelemetry
from quant_assets.core.venues import OptimizationParameters
from quant_assets.quant.optimization.cost_models.band import Band
from quant_assets.quant.optimization.cost_models.base import CostModel
from quant_assets.quant.optimization.cost_models.partial import Partial
from quant_assets.quant.optimization.entrants import optimize_window
from quant_assets.quant.optimization.entries import (
    COST_MODELS,
    SELECTIONS,
    Entry,
    cost_models,
    selections,
)
from quant_assets.quant.optimization.selections.base import Offered, Selection
from quant_assets.quant.optimization.weights_chain import harden_window
from quant_assets_tests.quant.optimization.frames import (
    FIRST,
    SECOND,
    hardening_context,
    no_returns,
    no_weights,
    optimization_context,
    returns_frame,
    streams,
    targets,
    weights_of,
)
from quant_assets_tests.quant.optimization.samples import market

SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE"]
every_selection = pytest.mark.parametrize("name", sorted(discover(SELECTIONS, Selection)))
every_cost_model = pytest.mark.parametrize("name", sorted(discover(COST_MODELS, CostModel)))


def offered(n=7, rows=50, seed=0):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(1, 4, n)
    return Offered(rng.normal(size=n), cluster, rng.normal(size=(rows, n)) * rng.random(n))


def chosen(name, streams_):
    return discover(SELECTIONS, Selection)[name]().choose(streams_)


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (Entry("equal_weight"), "equal_weight"),
        (Entry("kelly", "top_half"), "kelly@top_half"),
        (Entry("kelly", cost_model="band"), "kelly+band"),
        (Entry("my.peer-1", "top_half", "band"), "my.peer-1@top_half+band"),
    ],
)
def test_entry_name_is_read_back(entry, name):
    assert entry.name == name
    assert Entry.parse(name) == entry


@every_selection
@pytest.mark.parametrize("n", [1, 2, 7])
def test_selection_chooses_at_least_one_and_the_same_each_time(name, n):
    first, again = chosen(name, offered(n)), chosen(name, offered(n))
    assert first.dtype == bool
    assert first.shape == (n,)
    assert first.any()
    np.testing.assert_array_equal(first, again)


@every_selection
def test_selection_of_permuted_streams_is_permuted(name):
    streams_, order = offered(), np.array([3, 1, 6, 0, 5, 2, 4])
    moved = Offered(streams_.alpha[order], streams_.cluster[order], streams_.returns[:, order])
    np.testing.assert_array_equal(chosen(name, moved), chosen(name, streams_)[order])


@every_selection
def test_selection_without_history_still_chooses(name):
    assert chosen(name, offered(rows=0)).any()


def test_selections_by_hand():
    streams_ = Offered(
        np.array([0.5, -0.1, 0.3, 0.3, -0.9]),
        np.array([1, 1, 2, 2, 3]),
        np.array([[1.0, 2.0, 3.0, 4.0, 0.1], [-1.0, -2.0, -3.0, -4.0, -0.1]]),
    )
    assert chosen("all", streams_).tolist() == [True] * 5
    assert chosen("top_half", streams_).tolist() == [True, False, True, True, False]
    assert chosen("cluster_leaders", streams_).tolist() == [True, False, True, False, True]
    assert chosen("calm_half", streams_).tolist() == [True, True, False, False, True]


@every_cost_model
def test_cost_model_at_its_target_stays_there(name):
    target = np.array([0.5, 0.3, 0.2, 0.0])
    model = discover(COST_MODELS, CostModel)[name]()
    np.testing.assert_array_equal(model.aim(target, target), target)


@every_cost_model
def test_cost_model_never_overshoots_or_turns_back(name):
    rng = np.random.default_rng(1)
    target, held = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    aim = discover(COST_MODELS, CostModel)[name]().aim(target, held)
    assert (aim >= np.minimum(target, held) - 1e-15).all()
    assert (aim <= np.maximum(target, held) + 1e-15).all()


def test_cost_models_by_hand():
    target, held = np.array([0.50, 0.30, 0.20, 0.0]), np.array([0.505, 0.25, 0.23, 0.015])
    np.testing.assert_allclose(Band().aim(target, held), [0.505, 0.29, 0.21, 0.0])
    np.testing.assert_allclose(Partial().aim(target, held), [0.5025, 0.275, 0.215, 0.0075])


@pytest.mark.parametrize("field", ["selections", "cost_models"])
def test_unknown_plugins_are_named_with_the_known_ones(field):
    default = {"selections": "all", "cost_models": "none"}[field]
    limits = OptimizationParameters(**{field: [default, "best"]})
    with pytest.raises(ConfigError, match=rf"optimization.{field} names \['best'\]; known"):
        (selections if field == "selections" else cost_models)(limits)


@pytest.mark.parametrize("limits", [{"selections": ["top_half"]}, {"cost_models": ["band"]}])
def test_the_plain_entrants_always_take_part(limits):
    with pytest.raises(ValueError, match="selections must have all, and cost_models none"):
        OptimizationParameters(**limits)


def test_optimize_window_makes_one_entrant_of_each_combination():
    context = optimization_context(
        SECOND,
        entrants=["equal_weight", "minimum_variance"],
        selections=["all", "top_half"],
        cost_models=["none", "band"],
    )
    offers = streams(SYMBOLS, key=SECOND).assign(alpha=[0.1, 0.5, -0.2, 0.4, -0.3])
    frame = optimize_window(
        context,
        NullTelemetry(),
        alpha_streams=offers,
        returns_matrix=returns_frame(market(252, 5, seed=1), SYMBOLS),
    )
    TargetWeights.check_frame(frame, where="target_weights")
    names = [f"{o}{s}{c}" for o in ("equal_weight", "minimum_variance")
             for s in ("", "@top_half") for c in ("", "+band")]  # fmt: skip
    assert sorted(frame["entrant"].unique()) == sorted(names)
    third = pytest.approx(1 / 3)
    assert weights_of(frame, "equal_weight@top_half") == {"AAA": third, "BBB": third, "DDD": third}
    rows = frame.set_index("entrant")
    for optimizer in ("equal_weight", "minimum_variance@top_half"):
        same = rows.loc[optimizer, "weight"].to_numpy(), rows.loc[f"{optimizer}+band", "weight"]
        np.testing.assert_array_equal(*same)


def test_selection_of_short_streams_is_by_what_speaks_for_going_short():
    """`alpha` of a stream bears its side: BBB, with the worst score, is the best short."""
    symbols, sides = ["AAA", "AAA", "BBB", "BBB"], [1, -1, 1, -1]
    offers = streams(symbols, sides=sides, key=SECOND).assign(alpha=[0.5, -0.5, -0.4, 0.4])
    limits = {"selections": ["all", "top_half"], "entrants": ["equal_weight"]}
    context = optimization_context(SECOND, min_weight=-1.0, max_weight=1.0, **limits)
    returns = returns_frame(market(252, 2, seed=1), ["AAA", "BBB"])
    frame = optimize_window(context, NullTelemetry(), alpha_streams=offers, returns_matrix=returns)
    chosen_weights = weights_of(frame, "equal_weight@top_half")
    assert chosen_weights == {"AAA": pytest.approx(0.5), "BBB": pytest.approx(-0.5)}


def test_harden_window_entrant_with_a_band_leaves_small_differences():
    loose = {"max_weight": 1.0, "max_turnover": None, "cost_models": ["none", "band"]}

    def run(target, key, previous):
        frame = harden_window(
            hardening_context(key, **loose),
            NullTelemetry(),
            target_weights=targets(target, key=key),
            returns_matrix=no_returns(),
            portfolio_weights=previous,
        )
        return PortfolioWeights.check_frame(frame, where="portfolio_weights")

    first = {"equal_weight": {"A": 0.5, "B": 0.5}, "equal_weight+band": {"A": 0.5, "B": 0.5}}
    held = run(first, FIRST, no_weights())
    wish = {"A": 0.505, "B": 0.495}
    after = run({"equal_weight": wish, "equal_weight+band": wish}, SECOND, held)
    assert weights_of(after, "equal_weight") == pytest.approx(wish)
    assert weights_of(after, "equal_weight+band") == pytest.approx({"A": 0.5, "B": 0.5})
