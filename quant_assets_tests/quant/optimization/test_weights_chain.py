"""The stage `portfolio_weights`: drift, hardening, states and the champion, by hand."""

import numpy as np
import pandas as pd
import pytest

from quant_assets.contracts.portfolio_weights import PortfolioWeights
from quant_assets.contracts.target_weights import TargetWeights
from quant_assets.core.errors import ConfigError, SolverError
from quant_assets.core.telemetry import NullTelemetry, RecordingTelemetry
from quant_assets.quant.optimization.weights_chain import harden_window
from quant_assets_tests.quant.optimization.frames import (
    FIRST,
    SECOND,
    THIRD,
    hardening_context,
    no_returns,
    no_weights,
    returns_frame,
    targets,
    weights_of,
)

LOOSE = {"max_weight": 1.0, "max_turnover": None}


def run(target, *, key=FIRST, returns=None, previous=None, mode="carry", telemetry=None, **limits):
    frame = harden_window(
        hardening_context(key, mode=mode, **(LOOSE | limits)),
        telemetry or NullTelemetry(),
        target_weights=target,
        returns_matrix=no_returns() if returns is None else returns,
        portfolio_weights=no_weights() if previous is None else previous,
    )
    return PortfolioWeights.check_frame(frame, where="portfolio_weights")


def scalar(frame: pd.DataFrame, entrant: str, column: str):
    values = frame.loc[frame["entrant"] == entrant, column].unique()
    assert len(values) == 1
    return values[0]


def test_harden_window_first_window_takes_the_target_and_leaves_state_empty():
    frame = run(targets({"equal_weight": {"A": 0.5, "B": 0.5}, "other": {"A": 0.9, "B": 0.1}}))
    assert frame["entrant"].unique().tolist() == ["champion", "equal_weight", "other"]
    assert weights_of(frame, "other") == {"A": 0.9, "B": 0.1}
    assert weights_of(frame, "other", "previous_weight") == {"A": 0.0, "B": 0.0}
    assert frame["state_count"].tolist() == [0] * 6
    assert frame[["window_return", "state_mean", "state_variance"]].isna().all(axis=None)
    assert (frame["binding"] == "").all()


def test_harden_window_first_champion_follows_equal_weight():
    frame = run(targets({"aaa": {"A": 1.0}, "equal_weight": {"A": 0.5, "B": 0.5}}))
    assert scalar(frame, "champion", "follows") == "equal_weight"
    assert scalar(frame, "aaa", "follows") == "aaa"
    assert weights_of(frame, "champion") == {"A": 0.5, "B": 0.5}


def test_harden_window_first_champion_without_equal_weight_follows_the_first_name():
    frame = run(targets({"zzz": {"A": 1.0}, "bbb": {"B": 1.0}}))
    assert scalar(frame, "champion", "follows") == "bbb"


def test_harden_window_drift_by_hand():
    # A: 1.1 * 1.1 = 1.21, B: 1.0 * (NaN as 0) * 0.5 = 0.5; growth 0.6 * 1.21 + 0.4 * 0.5 = 0.926.
    # The row before the decision must not count.
    first = run(targets({"one": {"A": 0.6, "B": 0.4}}))
    early = returns_frame(np.array([[0.5, 0.5]]), ["A", "B"], first_day="2019-12-31")
    inside = returns_frame(
        np.array([[0.1, 0.0], [0.1, np.nan], [0.0, -0.5]]), ["A", "B"], first_day="2020-01-01"
    )
    second = run(
        targets({"one": {"A": 0.5, "B": 0.5}}, key=SECOND),
        key=SECOND,
        returns=pd.concat([early, inside], ignore_index=True),
        previous=first,
    )
    previous = weights_of(second, "one", "previous_weight")
    assert previous == pytest.approx({"A": 0.726 / 0.926, "B": 0.2 / 0.926})
    assert scalar(second, "one", "window_return") == pytest.approx(-0.074)
    assert scalar(second, "one", "state_mean") == pytest.approx(-0.074)
    assert scalar(second, "one", "state_variance") == 0.0
    assert scalar(second, "one", "state_count") == 1


def test_harden_window_cash_earns_nothing():
    # 0.5 in A, 0.5 in cash: A doubles, so that A is 1.0 of 1.5
    first = run(targets({"one": {"A": 0.5}}), budget=0.5)
    second = run(
        targets({"one": {"A": 0.5}}, key=SECOND),
        key=SECOND,
        returns=returns_frame(np.array([[1.0]]), ["A"], first_day="2020-01-10"),
        previous=first,
        budget=0.5,
    )
    assert weights_of(second, "one", "previous_weight") == pytest.approx({"A": 2 / 3})
    assert scalar(second, "one", "window_return") == pytest.approx(0.5)


def test_harden_window_symbol_without_returns_does_not_drift():
    first = run(targets({"one": {"A": 0.5, "B": 0.5}}))
    second = run(
        targets({"one": {"A": 0.5, "B": 0.5}}, key=SECOND),
        key=SECOND,
        returns=returns_frame(np.array([[0.2]]), ["A"], first_day="2020-01-02"),
        previous=first,
    )
    assert weights_of(second, "one", "previous_weight") == pytest.approx(
        {"A": 0.6 / 1.1, "B": 0.5 / 1.1}
    )


def test_harden_window_state_after_two_returns_by_hand():
    # half-life 1: returns 0 then 0.03 have weights 1/3 and 2/3
    target = {"one": {"A": 1.0}}
    frame = run(targets(target))
    for key, day, value in ((SECOND, "2020-01-05", 0.0), (THIRD, "2020-02-05", 0.03)):
        frame = run(
            targets(target, key=key),
            key=key,
            returns=returns_frame(np.array([[value]]), ["A"], first_day=day),
            previous=frame,
            champion_half_life_windows=1.0,
        )
    assert scalar(frame, "one", "state_mean") == pytest.approx(0.02)
    assert scalar(frame, "one", "state_variance") == pytest.approx(2e-4)
    assert scalar(frame, "one", "state_count") == 2


def chain(values: dict[str, list[float]], keys: list[str], **limits) -> pd.DataFrame:
    """Entrants that hold one symbol each: `steady` A, `shaky` B, `equal_weight` both halves."""
    wish = {"equal_weight": {"A": 0.5, "B": 0.5}, "shaky": {"B": 1.0}, "steady": {"A": 1.0}}
    frame, frames = None, []
    for count, key in enumerate(keys):
        returns = None
        if count:
            row = np.array([[values["A"][count - 1], values["B"][count - 1]]])
            returns = returns_frame(row, ["A", "B"], first_day=keys[count - 1])
        frame = run(targets(wish, key=key), key=key, returns=returns, previous=frame, **limits)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


KEYS = ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"]


def test_harden_window_champion_waits_and_then_follows_the_best_ratio():
    # A: 1 %, 2 %, 3 % (steady); B: -5 %, 9 %, 8 % (higher mean, lower ratio)
    frame = chain({"A": [0.01, 0.02, 0.03], "B": [-0.05, 0.09, 0.08]}, KEYS, champion_min_windows=3)
    followed = frame[frame["entrant"] == "champion"].groupby("decided_at")["follows"].first()
    assert followed.tolist() == ["equal_weight"] * 3 + ["steady"]
    last = frame[frame["decided_at"] == pd.Timestamp("2020-04-01", tz="UTC")]
    champion = last[last["entrant"] == "champion"].set_index("symbol")
    assert champion["weight"].to_dict() == {"A": 1.0, "B": 0.0}
    # it comes from its own halves, drifted by 3 % and 8 %, not from what `steady` held
    assert champion["previous_weight"].to_dict() == pytest.approx(
        {"A": 0.515 / 1.055, "B": 0.54 / 1.055}
    )
    assert champion["target_weight"].to_dict() == {"A": 1.0, "B": 0.0}
    assert scalar(last, "champion", "state_count") == 3
    assert scalar(last, "champion", "window_return") == pytest.approx(0.055)


def test_harden_window_champion_pays_its_own_turnover():
    frame = chain(
        {"A": [0.01, 0.02, 0.03], "B": [-0.05, 0.09, 0.08]},
        KEYS,
        champion_min_windows=3,
        max_turnover=0.2,
    )
    last = frame[frame["decided_at"] == pd.Timestamp("2020-04-01", tz="UTC")]
    champion = last[last["entrant"] == "champion"]
    traded = (champion["weight"] - champion["previous_weight"]).abs().sum()
    assert traded == pytest.approx(0.2, abs=1e-9)
    assert weights_of(last, "champion")["A"] == pytest.approx(0.515 / 1.055 + 0.1)
    # B is held and no longer wanted: all the turnover goes into selling it
    assert scalar(last, "champion", "binding") == "turnover"
    assert scalar(last, "steady", "binding") == ""


def test_harden_window_cap_turnover_and_sum_are_kept():
    rng = np.random.default_rng(0)
    symbols = [f"S{i:02d}" for i in range(12)]
    frame = None
    for count, key in enumerate(KEYS):
        wish = {
            name: dict(zip(symbols, rng.dirichlet(np.ones(12)), strict=True))
            for name in ("a", "b", "c")
        }
        returns = returns_frame(rng.normal(0, 0.05, (5, 12)), symbols, first_day=KEYS[count - 1])
        frame = run(
            targets(wish, key=key),
            key=key,
            returns=returns if count else None,
            previous=frame,
            max_weight=0.2,
            max_turnover=0.6,
        )
        for _, rows in frame.groupby("entrant"):
            assert abs(rows["weight"].sum() - 1.0) <= 1e-9
            assert rows["weight"].between(-1e-9, 0.2 + 1e-9).all()
            if count:
                traded = (rows["weight"] - rows["previous_weight"]).abs().sum()
                assert traded <= 0.6 + 1e-9


def test_harden_window_symbol_no_longer_wanted_is_sold_and_listed():
    first = run(targets({"one": {"A": 0.5, "B": 0.5}}))
    second = run(targets({"one": {"B": 0.5, "C": 0.5}}, key=SECOND), key=SECOND, previous=first)
    assert weights_of(second, "one") == {"A": 0.0, "B": 0.5, "C": 0.5}
    assert weights_of(second, "one", "target_weight") == {"A": 0.0, "B": 0.5, "C": 0.5}
    third = run(targets({"one": {"B": 0.5, "C": 0.5}}, key=THIRD), key=THIRD, previous=second)
    assert set(weights_of(third, "one")) == {"B", "C"}


def test_harden_window_excess_weight_does_not_go_to_what_is_sold():
    # B's excess over the cap is shared by C and D; A, no longer wanted, gets none of it
    first = run(targets({"one": {"A": 0.5, "B": 0.5}}))
    second = run(
        targets({"one": {"B": 0.6, "C": 0.2, "D": 0.2}}, key=SECOND),
        key=SECOND,
        previous=first,
        max_weight=0.5,
    )
    assert weights_of(second, "one") == pytest.approx({"A": 0, "B": 0.5, "C": 0.25, "D": 0.25})


def test_harden_window_sale_limited_by_turnover_is_spread_over_windows():
    first = run(targets({"one": {"A": 1.0}}))
    second = run(
        targets({"one": {"B": 1.0}}, key=SECOND), key=SECOND, previous=first, max_turnover=1.0
    )
    assert weights_of(second, "one") == pytest.approx({"A": 0.5, "B": 0.5})
    assert scalar(second, "one", "binding") == "turnover"
    third = run(
        targets({"one": {"B": 1.0}}, key=THIRD), key=THIRD, previous=second, max_turnover=1.0
    )
    assert weights_of(third, "one") == pytest.approx({"A": 0.0, "B": 1.0})


def test_harden_window_unwanted_symbol_never_grows():
    # A can leave only with a turnover of 1.0. Sharing B's excess of 0.5 with C alike would take A
    # to 0.25; it stays at 0.05
    first = run(targets({"one": {"A": 0.05, "B": 0.95}}))
    second = run(
        targets({"one": {"B": 1.0, "C": 0.0}}, key=SECOND),
        key=SECOND,
        previous=first,
        max_weight=0.5,
        max_turnover=0.95,
    )
    assert weights_of(second, "one") == pytest.approx({"A": 0.05, "B": 0.5, "C": 0.45})


def test_harden_window_drift_beyond_the_cap_is_relieved_and_says_so():
    # A drifts from 0.5 to 0.6: 0.1 must be sold and bought, turnover 0.2, but only 0.05 is allowed
    first = run(targets({"one": {"A": 0.5, "B": 0.5}}), max_weight=0.5)
    second = run(
        targets({"one": {"A": 0.5, "B": 0.5}}, key=SECOND),
        key=SECOND,
        returns=returns_frame(np.array([[0.5, 0.0]]), ["A", "B"], first_day="2020-01-02"),
        previous=first,
        max_weight=0.5,
        max_turnover=0.05,
    )
    assert weights_of(second, "one", "previous_weight") == pytest.approx({"A": 0.6, "B": 0.4})
    assert weights_of(second, "one") == pytest.approx({"A": 0.5, "B": 0.5})
    assert "turnover_relaxed" in scalar(second, "one", "binding").split(";")


def test_harden_window_few_symbols_relax_the_cap_like_the_target():
    frame = run(targets({"one": {"A": 0.25, "B": 0.25, "C": 0.25, "D": 0.25}}), max_weight=0.2)
    assert weights_of(frame, "one") == pytest.approx(dict.fromkeys("ABCD", 0.25))
    assert scalar(frame, "one", "binding") == "cap_relaxed"


def test_harden_window_impossible_limits_name_window_and_entrant():
    with pytest.raises(SolverError, match=r"test 2020-01-01 champion: budget and gross conflict"):
        run(targets({"one": {"A": 1.0}}), max_gross=0.9)


def test_harden_window_long_short_book_is_net_zero():
    frame = run(
        targets({"one": {"A": 0.5, "B": -0.3}}),
        budget=0.0,
        min_weight=-0.5,
        max_weight=0.5,
        max_gross=1.0,
    )
    assert weights_of(frame, "one") == pytest.approx({"A": 0.4, "B": -0.4})
    assert scalar(frame, "one", "binding") == "budget"


def test_harden_window_independent_mode_starts_from_cash_every_time():
    first = run(targets({"one": {"A": 1.0}}))
    second = run(
        targets({"one": {"B": 1.0}}, key=SECOND),
        key=SECOND,
        previous=first,
        mode="independent",
        max_turnover=0.1,
    )
    assert weights_of(second, "one") == {"B": 1.0}
    assert scalar(second, "one", "state_count") == 0


def test_harden_window_without_targets_at_the_start_is_empty():
    assert run(TargetWeights.empty()).empty


def test_harden_window_without_targets_goes_to_cash_and_keeps_the_state():
    first = run(targets({"one": {"A": 0.5, "B": 0.5}}))
    second = run(
        TargetWeights.empty(),
        key=SECOND,
        returns=returns_frame(np.array([[0.1, 0.3]]), ["A", "B"], first_day="2020-01-02"),
        previous=first,
        max_turnover=0.1,
    )
    assert second["entrant"].unique().tolist() == ["champion", "one"]
    assert (second["weight"] == 0).all()
    assert (second["binding"] == "no_target").all()
    assert scalar(second, "one", "state_mean") == pytest.approx(0.2)
    third = run(
        targets({"one": {"A": 1.0}}, key=THIRD), key=THIRD, previous=second, max_turnover=0.1
    )
    assert weights_of(third, "one") == {"A": 1.0}  # from cash, turnover is not limited
    assert scalar(third, "one", "state_count") == 2
    assert scalar(third, "one", "window_return") == 0.0


def test_harden_window_new_entrant_joins_with_an_empty_state():
    first = run(targets({"one": {"A": 1.0}}))
    second = run(
        targets({"one": {"A": 1.0}, "two": {"B": 1.0}}, key=SECOND), key=SECOND, previous=first
    )
    assert scalar(second, "one", "state_count") == 1
    assert scalar(second, "two", "state_count") == 0
    assert weights_of(second, "two") == {"B": 1.0}


def test_harden_window_entrant_called_champion_is_refused():
    with pytest.raises(ConfigError, match="'champion', the house portfolio's own name"):
        run(targets({"champion": {"A": 1.0}}))


def test_harden_window_telemetry_tells_turnover_and_distance():
    telemetry = RecordingTelemetry()
    run(targets({"one": {"A": 0.9, "B": 0.1}}), telemetry=telemetry, max_weight=0.6)
    logged = {row["scope"]: row for row in telemetry.rows}
    assert logged["one"]["turnover"] == pytest.approx(1.0)
    assert logged["one"]["distance"] == pytest.approx(0.3 * np.sqrt(2))


def test_harden_window_same_input_gives_the_same_bytes():
    target = targets({"one": {"A": 0.7, "B": 0.2, "C": 0.1}, "two": {"A": 0.1, "C": 0.9}})
    first, second = (run(target, max_weight=0.5) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
