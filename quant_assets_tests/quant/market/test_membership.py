"""Who was a member when: rows by hand, what later rows may not change, and what is refused."""

import pickle
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.market.membership import Membership, PanelUniverse
from quant_assets.quant.market.universe_doubts import universe_doubts


def daily(n, symbols=("A", "B"), close=None):
    """Daily bars from 2024-01-01 on, each known at the end of its day."""
    ts = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "D")
    close = np.full((n, len(symbols)), 100.0) if close is None else close
    return BarPanel.from_arrays(ts, list(symbols), timedelta(days=1), close=close)


def spans(*rows, columns=("symbol", "entered", "left")):
    return pd.DataFrame(list(rows), columns=list(columns))


def marks(bars, universe):
    """Members as text, one word for each symbol."""
    members = bars.with_universe(universe).members
    return ["".join("x" if one else "." for one in column) for column in members.T]


def test_a_span_begins_with_the_decision_at_its_entry_and_ends_with_that_at_its_exit():
    """The decision of bar t is taken at the end of its day, 00:00 of the next."""
    frame = spans(("A", "2024-01-03", "2024-01-05"), ("B", "2024-01-01", None))
    assert marks(daily(6), frame) == [".xx...", "xxxxxx"]


def test_a_symbol_may_come_back_and_spans_may_touch():
    frame = spans(
        ("A", "2024-01-02", "2024-01-03"),
        ("A", "2024-01-05", None),
        ("B", "2024-01-02", "2024-01-04"),
        ("B", "2024-01-04", "2024-01-06"),
    )
    assert marks(daily(6), frame) == ["x..xxx", "xxxx.."]


def test_a_change_counts_from_when_it_was_known():
    """A leaves on the 3rd, which is known on the 5th; B's month was known when it was over."""
    names = ("symbol", "entered", "left", "entered_available_at", "left_available_at")
    frame = spans(
        ("A", "2024-01-01", "2024-01-03", "2023-12-01", "2024-01-05"),
        ("B", "2024-01-02", "2024-01-04", "2024-01-05", "2024-01-05"),
        columns=names,
    )
    assert marks(daily(6), frame) == ["xxx...", "......"]


def test_a_snapshot_serves_bars_that_open_at_or_after_it():
    """So that a window's last bar does not see the decision that is taken as it ends."""
    frame = spans(
        *[("2024-01-03", "A", True), ("2024-01-03", "B", False)],
        *[("2024-01-05", "A", False), ("2024-01-05", "B", True)],
        columns=("decided_at", "symbol", "is_listed"),
    )
    assert marks(daily(6), frame) == ["..xx..", "....xx"]
    known = frame.assign(available_at=["2024-01-04"] * 2 + ["2024-01-05"] * 2)
    assert marks(daily(6), known) == ["...x..", "....xx"]
    assert marks(daily(6), frame.drop(columns="is_listed"))[1] == "..xxxx"


def test_frames_of_arrow_and_moments_of_a_time_zone_are_read():
    frame = spans(("A", "2024-01-03T00:00:00+02:00", None)).astype({"left": "str"})
    frame["left"] = pd.NaT
    assert marks(daily(4), pa.Table.from_pandas(frame)) == [".xxx", "...."]


def test_symbols_of_the_bars_alone_are_shown_and_members_without_bars_are_named():
    frame = spans(
        ("GONE", "2024-01-01", "2024-01-03"),
        ("LATE", "2025-01-01", None),
        ("A", "2024-01-01", None),
    )
    bars = daily(4).with_universe(frame)
    assert bars.universe.absent == ("GONE",)
    assert bars.members[:, 1].sum() == 0


def test_members_of_a_moment_are_those_of_then():
    """GONE was delisted on the 3rd; who asks about the 2nd still sees it."""
    known = Membership.from_frame(
        spans(("GONE", "2024-01-01", "2024-01-03"), ("NEW", "2024-01-02", None))
    )
    asked = ("2023-12-31", "2024-01-01", "2024-01-02 23:59", "2024-01-03T02:00+02:00")
    assert [known.at(one) for one in asked] == [(), ("GONE",), ("GONE", "NEW"), ("NEW",)]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"symbol": ["A"]}), "since when"),
        (["A", "B"], "this is a list"),
        (spans(("A", None, None)), "no time of entry"),
        (spans((None, "2024-01-01", None)), "has no symbol"),
        (spans(("A", "2024-01-02", "2024-01-02")), "leaves before"),
        (spans(("A", 20240102, None)), "are numbers"),
        (spans(("A", "yesterday", None)), "yesterday"),
        (spans(("A", None), columns=("symbol", "decided_at")), "no decided_at"),
        (spans(*[("A", "2024-01-02")] * 2, columns=("symbol", "decided_at")), "twice"),
        (
            spans(
                *[("A", "2024-01-02", "2024-01-09"), ("A", "2024-01-03", "2024-01-03")],
                columns=("symbol", "decided_at", "available_at"),
            ),
            "known only after",
        ),
    ],
)
def test_rows_that_do_not_say_who_was_a_member_when_are_refused(frame, said):
    with pytest.raises(DataError, match=said):
        Membership.from_frame(frame)


def test_shapes_rules_and_names_that_do_not_fit_are_refused():
    moments = np.array(["2024-01-01"], dtype="datetime64[us]")
    yes = np.ones((1, 1), dtype=np.bool_)
    with pytest.raises(ConfigError, match="close or keep"):
        PanelUniverse(yes, on_exit="sell")
    with pytest.raises(DataError, match="must be bool"):
        Membership(moments, ("A", "B"), yes)
    with pytest.raises(DataError, match="must increase"):
        Membership(np.repeat(moments, 2), ("A",), np.ones((2, 1), dtype=np.bool_))
    with pytest.raises(DataError, match="array of bool"):
        PanelUniverse(np.ones((1, 1)))
    with pytest.raises(DataError, match=r"\(1, 1\); bars are \(4, 2\)"):
        daily(4).with_universe(PanelUniverse(yes))
    bars = daily(1, ("A",))
    named = BarPanel.from_arrays(
        bars.ts, ["A"], bars.bar_length, close=[1.0], extras={"member": [1.0]}
    )
    with pytest.raises(DataError, match=r"\['member'\]"):
        named.with_universe(PanelUniverse(yes))


def test_parts_of_bars_and_their_copies_keep_the_universe():
    bars = daily(6).with_universe(
        spans(("A", "2024-01-03", "2024-01-05"), ("B", "2024-01-01", None))
    )
    assert bars.rows(slice(2, 5)).members[:, 0].tolist() == [True, False, False]
    assert bars.select(["B", "A"]).members[:, 1].tolist() == bars.members[:, 0].tolist()
    again = pickle.loads(pickle.dumps(bars))  # noqa: S301  # made here
    assert np.array_equal(again.members, bars.members)
    assert not again.members.flags.writeable
    assert bars["member"].tolist() == bars.members.astype(float).tolist()
    assert bars.with_sessions(bars.sessions).universe == bars.universe
    assert daily(3).members.all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_rows_that_become_known_later_change_nothing_before(seed):
    """Whatever is appended with later times, what earlier decisions know stays."""
    rng = np.random.default_rng(seed)
    names, n, cut = [f"S{i}" for i in range(5)], 40, 20

    def rows(first, last, count):
        days = rng.integers(first, last, count)
        lengths = rng.integers(1, 15, count)
        start = pd.Timestamp("2024-01-01", tz="UTC")
        return pd.DataFrame(
            {
                "symbol": rng.choice(names, count),
                "entered": [start + pd.Timedelta(days=int(day)) for day in days],
                "left": [
                    start + pd.Timedelta(days=int(d + m)) if m < 12 else pd.NaT
                    for d, m in zip(days, lengths, strict=True)
                ],
            }
        )

    past, future = rows(0, cut, 6), rows(cut + 1, n, 6)
    bars = daily(n, names)
    known = bars.with_universe(past).members
    both = bars.with_universe(pd.concat([past, future])).members
    assert np.array_equal(both[:cut], known[:cut])
    # an exit that lies ahead is not in force before: without it, the same
    open_ended = past.assign(left=past["left"].where(past["left"] <= bars_time(cut)))
    assert np.array_equal(bars.with_universe(open_ended).members[:cut], known[:cut])
    # by counting days for each symbol and decision
    decided = pd.DatetimeIndex(bars.available_at, tz="UTC")
    for column, name in enumerate(names):
        mine = past[past["symbol"] == name]
        for t, moment in enumerate(decided):
            inside = (mine["entered"] <= moment) & ~(mine["left"] <= moment)
            assert known[t, column] == inside.any()


def bars_time(day):
    return pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=day)


def test_bars_of_survivors_and_members_of_today_are_doubted():
    close = np.full((10, 2), 100.0)
    assert universe_doubts(daily(10)) == ()
    assert universe_doubts(daily(10, ("A",))) == ()
    close[4:, 0] = np.nan
    (line,) = universe_doubts(daily(10, close=close))
    assert line.startswith("UNIVERSE: none was given, and A end before")
    members = spans(("A", "2024-01-01", "2024-01-04"), ("B", "2024-01-01", None))
    assert universe_doubts(daily(10, close=close).with_universe(members)) == ()
    (line,) = universe_doubts(daily(800, [f"S{i}" for i in range(20)]))
    assert line.startswith("SURVIVORS? None of the 20 symbols ends in 2.2 years")
    (line,) = universe_doubts(daily(800).with_universe(spans(("A", "1990-01-01", None))))
    assert line.startswith("UNIVERSE: the same 1 members at every decision in 2.2 years")
    (line,) = universe_doubts(daily(9).with_universe(spans(("A", "2024-01-04", None))))
    assert line == "UNIVERSE: nobody is a member before 2024-01-03T00:00: no trade before"
    lines = universe_doubts(daily(9).with_universe(spans(("X", "2024-01-01", None))))
    assert [line.split(":")[1][:23] for line in lines] == [
        " there are no bars of X",
        " no symbol of the bars ",
    ]
