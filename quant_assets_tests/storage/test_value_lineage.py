import json

import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, MissingCellError
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets.storage.value_lineage import explain_value
from quant_assets_tests.storage.lakes import WINDOWS, build, cell, read
from quant_assets_tests.storage.samples import bars, commit

pytestmark = pytest.mark.slow

LAST = WINDOWS[2]
WHERE = {"entrant": "champion", "symbol": "AAPL"}


@pytest.fixture
def store(root):
    store = SnapshotStore(root)
    build(store)
    return store


def champion(store, **changes):
    return explain_value(store, "portfolio_weights", "v", LAST, where={**WHERE, **changes})


def evidence(found, asset):
    return next(item for item in found.upstream if item.asset == asset)


def test_explain_value_goes_back_to_raw_bars_of_the_same_symbol(store):
    found = champion(store)
    assert [row["weight"] for row in found.rows] == [0.6]
    assert found.known_at == "2020-03-01T00:00:00+00:00"
    assert [(item.asset, item.steps) for item in found.upstream] == [
        ("portfolio_weights", 1),
        ("target_weights", 1),
        ("returns", 2),
        ("bars", 3),
        ("raw_bars", 4),
    ]
    raw = evidence(found, "raw_bars")
    assert raw.cell == cell("raw_bars", "2020-02-01")
    assert raw.windows == 2
    assert raw.matched_on == ("symbol",)
    assert [row["symbol"] for row in raw.rows] == ["AAPL"] * 3
    assert [row["ts"][:10] for row in raw.rows] == ["2020-02-02", "2020-02-03", "2020-02-04"]
    assert [row["close"] for row in raw.rows] == [102.0, 104.0, 106.0]
    assert raw.available_at == "2020-02-04T21:00:00+00:00"
    assert all(item.verified for item in found.upstream)


def test_explain_value_follows_the_entrant_that_the_champion_follows(store):
    target = evidence(champion(store), "target_weights")
    assert target.matched_on == ("entrant", "symbol")
    assert [(row["decided_at"][:10], row["entrant"]) for row in target.rows] == [
        ("2020-02-01", "equal_weight"),
        ("2020-03-01", "equal_weight"),
    ]


def test_explain_value_shows_nothing_that_was_not_known_yet(store):
    late = bars(4, first=WINDOWS[1])
    late["available_at"] += pd.Timedelta(days=26)  # rows 3 and 4 became known in March
    commit(store, cell("raw_bars", WINDOWS[1]), late)
    commit(store, cell("bars", WINDOWS[1]), late, inputs=read(store, "raw_bars", WINDOWS[1]))
    returns = read(store, "bars", WINDOWS[1])
    commit(store, cell("returns", WINDOWS[1]), bars(4, first=WINDOWS[1]), inputs=returns)
    history = read(store, "returns", *WINDOWS[:2])
    frame = store.read(cell("target_weights", LAST))
    commit(store, cell("target_weights", LAST), frame, inputs=history, kind="decision")
    raw = evidence(champion(store), "raw_bars")
    assert max(row["available_at"] for row in raw.rows) <= "2020-03-01T00:00:00+00:00"
    assert [row["ts"][:10] for row in raw.rows] == ["2020-02-01", "2020-02-02", "2020-02-03"]


def test_explain_value_reads_the_version_that_was_used_not_the_current_one(store):
    before = evidence(champion(store), "returns")
    commit(store, cell("returns", WINDOWS[1]), bars(4, first=WINDOWS[1], scale=77.0))
    after = evidence(champion(store), "returns")
    assert after.superseded
    assert not before.superseded
    assert after.rows == before.rows


def test_explain_value_upstream_without_the_symbol_says_so(store):
    frame = bars(2, first=WINDOWS[1])
    frame["symbol"] = frame["symbol"].replace("AAPL", "TSLA")
    commit(store, cell("returns", WINDOWS[1]), frame)
    inputs = read(store, "returns", WINDOWS[1])
    target = store.read(cell("target_weights", LAST))
    commit(store, cell("target_weights", LAST), target, inputs=inputs, kind="decision")
    found = explain_value(store, "target_weights", "v", LAST, where={"symbol": "AAPL"})
    returns = evidence(found, "returns")
    assert returns.rows == ()
    assert "symbol in ['AAPL']" in returns.note
    assert "no row with" in "\n".join(found.lines())


def test_explain_value_lost_input_is_noted_and_the_rest_is_shown(store):
    for window in WINDOWS[:2]:
        store.layout.object(store.require(cell("bars", window)).sha256).unlink()
    found = champion(SnapshotStore(store.layout.root))
    assert "is gone" in evidence(found, "bars").note
    assert not evidence(found, "bars").verified
    assert len(evidence(found, "raw_bars").rows) == 3


def test_explain_value_prints_and_dumps(store):
    found = champion(store)
    lines = list(found.lines())
    assert lines[0].startswith("portfolio_weights v|2020-03-01")
    assert "entrant=champion, symbol=AAPL" in lines[0]
    assert any("<- raw_bars v|2020-02-01" in line and "newest of 2" in line for line in lines)
    assert any("close=106" in line for line in lines)
    told = json.loads(json.dumps(found.as_dict()))
    assert told["cell"] == {"asset": "portfolio_weights", "venue": "v", "window": LAST}
    assert told["upstream"][-1]["available_at"] == "2020-02-04T21:00:00+00:00"


@pytest.mark.parametrize(
    "where",
    [
        {"ts": "2020-01-02", "symbol": "MSFT"},
        {"ts": "2020-01-02T09:00:00+09:00", "symbol": "MSFT"},
        {"close": "103"},
        {"close": "103.0", "symbol": "MSFT"},
    ],
)
def test_explain_value_conditions_are_read_by_the_columns_type(store, where):
    found = explain_value(store, "bars", "v", WINDOWS[0], where=where)
    assert [(row["symbol"], row["close"]) for row in found.rows] == [("MSFT", 103.0)]


def test_explain_value_unknown_column_lists_the_columns(store):
    with pytest.raises(
        ConfigError, match=r"no column 'ticker'; columns: decided_at, entrant, symbol"
    ):
        champion(store, ticker="AAPL")


def test_explain_value_no_matching_row_lists_the_values(store):
    with pytest.raises(ConfigError, match=r"symbol = 'TSLA'; its 2 values: AAPL, MSFT"):
        champion(store, symbol="TSLA")


@pytest.mark.parametrize("where", [{"close": "much"}, {"ts": "some day"}])
def test_explain_value_unreadable_condition_is_refused(store, where):
    with pytest.raises(ConfigError, match="is not a value of column"):
        explain_value(store, "bars", "v", WINDOWS[0], where=where)


def test_explain_value_missing_cell_names_the_command(store):
    with pytest.raises(MissingCellError, match="quant-assets backfill"):
        explain_value(store, "equity", "v", LAST, where={})
