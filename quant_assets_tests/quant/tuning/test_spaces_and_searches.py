import itertools

import numpy as np
import pytest
from scipy.stats import qmc

from quant_assets.core.errors import ConfigError
from quant_assets.core.parameters import plug_in
from quant_assets.core.registry import discover
from quant_assets.quant.tuning.searches.base import SEARCHES, Search
from quant_assets.quant.tuning.searches.grid import Grid
from quant_assets.quant.tuning.searches.random_draws import RandomDraws
from quant_assets.quant.tuning.searches.sobol import Sobol
from quant_assets.quant.tuning.space import Interval, Space


def proposed(search, space):
    return [point for batch in search.proposals(Space.of(space)) for point in batch]


def test_interval_with_a_step_lists_both_ends():
    assert Interval(5, 20, 5).values() == (5, 10, 15, 20)
    assert Interval(5, 19, 5).values() == (5, 10, 15)
    assert Interval(0.1, 0.3, 0.1).values() == pytest.approx((0.1, 0.2, 0.3))
    assert Interval(0.0, 1.0).values() is None


def test_logarithmic_interval_is_even_in_its_exponents():
    interval = Interval(0.01, 100.0, log=True)
    assert [interval.at(share) for share in (0.0, 0.25, 0.5)] == pytest.approx([0.01, 0.1, 1.0])


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"a": []},
        {"a": [1, 1]},
        {"a": "word"},
        {"a": {"low": 1}},
        {"a": {"low": 1, "high": 2, "stop": 3}},
        {"a": {"low": 2, "high": 1}},
        {"a": {"low": 0, "high": 1, "step": 0}},
        {"a": {"low": 0, "high": 1, "log": True}},
        {"a": {"low": 0, "high": float("inf")}},
        [1, 2],
    ],
)
def test_space_that_cannot_be_searched_is_refused(given):
    with pytest.raises(ConfigError):
        Space.of(given)


def test_grid_proposes_every_combination_in_order():
    space = {"a": [1, 2], "b": {"low": 0, "high": 4, "step": 2}, "c": ["x"]}
    expected = [{"a": a, "b": b, "c": c} for a, b, c in itertools.product([1, 2], [0, 2, 4], ["x"])]
    assert proposed(Grid(batch=4), space) == expected
    assert Grid().count(Space.of(space)) == 6


def test_grid_refuses_an_interval_without_a_step():
    with pytest.raises(ConfigError, match="step"):
        Grid().proposals(Space.of({"a": {"low": 0.0, "high": 1.0}}))


@pytest.mark.slow
def test_random_draws_repeat_with_their_seed_and_cover_the_values():
    space = {"a": [1, 2, 3], "b": {"low": -1.0, "high": 1.0}}
    search = RandomDraws(trials=3_000, seed=4)
    points = proposed(search, space)
    assert points == proposed(search, space)
    assert points != proposed(RandomDraws(trials=3_000, seed=5), space)
    shares = np.bincount([point["a"] for point in points], minlength=4)[1:] / 3_000
    np.testing.assert_allclose(shares, 1 / 3, atol=0.04)
    reals = np.array([point["b"] for point in points])
    assert abs(reals.mean()) < 0.05
    assert np.abs(reals).max() <= 1.0


def test_sobol_points_are_those_of_scipy_and_go_on_with_more_trials():
    space = {"a": {"low": 0.0, "high": 1.0}, "b": {"low": 0.0, "high": 2.0}}
    points = np.array([[p["a"], p["b"]] for p in proposed(Sobol(trials=16, seed=3), space)])
    expected = qmc.Sobol(2, scramble=True, bits=30, rng=3).random(16) * [1.0, 2.0]
    np.testing.assert_allclose(points, expected)
    longer = proposed(Sobol(trials=40, seed=3), space)
    np.testing.assert_allclose([[p["a"], p["b"]] for p in longer[:16]], expected)
    assert len(longer) == 40


def test_sobol_fills_the_cube_more_evenly_than_random_draws():
    space = {name: {"low": 0.0, "high": 1.0} for name in "abc"}
    discrepancies = {
        type(search): qmc.discrepancy(
            np.array([list(point.values()) for point in proposed(search, space)])
        )
        for search in (Sobol(trials=64), RandomDraws(trials=64))
    }
    assert discrepancies[Sobol] < 0.2 * discrepancies[RandomDraws]


@pytest.mark.parametrize("search", [Grid(), RandomDraws(trials=9), Sobol(trials=16)])
def test_searches_that_do_not_learn_foresee_what_they_propose(search):
    space = Space.of({"a": [1, 2, 3], "b": {"low": 0.0, "high": 1.0, "step": 0.5}})
    assert list(search.foreseen(space)) == proposed(search, space)


def test_searches_are_found_by_walking():
    assert set(discover(SEARCHES, Search)) == {"grid", "random", "sobol", "optuna"}
    assert plug_in(SEARCHES, Search, {"sobol": {"trials": 8}}) == Sobol(trials=8)


def test_optuna_search_learns_and_repeats_itself():
    pytest.importorskip("optuna")
    space = Space.of(
        {"a": {"low": -2.0, "high": 2.0}, "b": {"low": 0, "high": 20, "step": 1}, "c": ["x", "y"]}
    )

    def run():
        search = plug_in(SEARCHES, Search, {"optuna": {"trials": 60, "seed": 1}})
        asked, values = search.proposals(space), []
        points = next(asked)
        while True:
            found = [
                float("nan") if p["b"] == 0 else -((p["a"] - 1.0) ** 2) - (p["c"] == "x")
                for p in points
            ]
            values += list(zip(points, found, strict=True))
            try:
                points = asked.send(found)
            except StopIteration:
                return values

    first = run()
    assert len(first) == 60
    assert first == run()
    early = np.nanmean([value for _, value in first[:10]])
    late = np.nanmean([value for _, value in first[-20:]])
    assert late > early + 0.5


def test_optuna_search_says_what_to_install():
    try:
        import optuna  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigError, match="tune"):
            next(plug_in(SEARCHES, Search, "optuna").proposals(Space.of({"a": [1, 2]})))
    else:
        pytest.skip("Optuna is installed")
