import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import quant_assets
from quant_assets.core.errors import ConfigError, MissingCellError
from quant_assets.storage.paths import Cell
from quant_assets.storage.reading import load, query
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.storage.samples import bars, commit

MONTHS = ["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Four monthly cells, the third one empty."""
    root = tmp_path_factory.mktemp("data")
    store = SnapshotStore(root)
    for month in MONTHS:
        frame = bars(first=month)
        commit(store, Cell("bars", "v", month), frame.head(0) if month == MONTHS[2] else frame)
    commit(store, Cell("tournament", "v", "all"), bars(1))
    return root


@pytest.mark.parametrize(
    ("window", "months"),
    [
        (None, [0, 1, 3]),
        ("2020-02-01", [1]),
        ("2020-01-01...2020-02-01", [0, 1]),
        ("2020-02-01...", [1, 3]),
        ("...2020-02-01", [0, 1]),
        ("...", [0, 1, 3]),
        ("2019-12-15...2020-01-15", [0]),
    ],
)
def test_load_window_or_span_gives_those_cells_in_time_order(root, window, months):
    expected = pd.concat([bars(first=MONTHS[m]) for m in months], ignore_index=True)
    assert_frame_equal(load("bars", venue="v", window=window, root=root), expected)


def test_load_empty_cell_keeps_columns_and_dtypes(root):
    assert_frame_equal(load("bars", venue="v", window=MONTHS[2], root=root), bars().head(0))


def test_load_result_is_the_callers_own(root):
    frame = load("bars", venue="v", window=MONTHS[0], root=str(root))
    frame["close"] = 0.0
    assert load("bars", venue="v", window=MONTHS[0], root=root)["close"].min() == 100.0


def test_load_unknown_window_tells_which_are_stored(root):
    with pytest.raises(
        MissingCellError, match=r"'2031-01-01'.*4 windows from 2020-01-01 to 2020-04"
    ):
        load("bars", venue="v", window="2031-01-01", root=root)


@pytest.mark.parametrize(("asset", "venue"), [("bars", "w"), ("nothing", "v")])
def test_load_unknown_asset_or_venue_lists_what_there_is(root, asset, venue):
    with pytest.raises(MissingCellError, match=r"\{'bars': \['v'\], 'tournament': \['v'\]\}"):
        load(asset, venue=venue, root=root)


def test_load_empty_root_points_to_the_demo(tmp_path):
    with pytest.raises(MissingCellError, match="run quant-assets demo"):
        load("bars", venue="v", root=tmp_path)


def split_root(folder, price_adjustment: str):
    """Two days of two symbols before a split of AAPL on the third, and the third; by window."""
    store = SnapshotStore(folder)
    config = store.put_config({"market": {"price_adjustment": price_adjustment}})
    prices = bars(3).rename(columns={"close": "open"})
    prices = prices.assign(high=prices["open"], low=prices["open"], close=prices["open"])
    prices = prices.assign(volume=8.0, is_gap=False)
    day = pd.DatetimeIndex(["2020-01-03"], tz="UTC").as_unit("us")
    split = {"ts": day, "available_at": day, "symbol": ["AAPL"], "kind": ["split"]}
    events = pd.DataFrame({**split, "price_factor": [0.5]}).astype({"symbol": "str", "kind": "str"})
    commit(store, Cell("bars", "v", MONTHS[0]), prices, config_digest=config)
    commit(store, Cell("adjustments", "v", MONTHS[0]), events.head(0))
    commit(store, Cell("adjustments", "v", MONTHS[1]), events)
    return folder


@pytest.mark.parametrize(
    ("price_adjustment", "as_of", "closes", "volume"),
    [
        ("none", "2020-01-04", [50.0, 51.0, 104.0], 16.0),
        ("none", "2020-01-02 23:59", [100.0, 102.0], 8.0),
        ("none", "2020-01-03 22:00+01:00", [50.0, 51.0, 104.0], 16.0),
        ("splits", "2020-01-04", [100.0, 102.0, 104.0], 8.0),
        ("total_return", "2020-01-04", [100.0, 102.0, 104.0], 8.0),
    ],
)
def test_load_adjusts_bars_on_read_as_of_an_instant(
    tmp_path, price_adjustment, as_of, closes, volume
):
    """A split of another window halves what is before it, unless the prices contain it."""
    root = split_root(tmp_path, price_adjustment)
    frame = load("bars", venue="v", root=root, adjusted_as_of=as_of)
    own = frame[frame["symbol"] == "AAPL"]
    assert own["close"].tolist() == closes
    assert own["volume"].iloc[0] == volume
    stored = load("bars", venue="v", root=root)
    assert stored.loc[stored["symbol"] == "AAPL", "close"].tolist() == [100.0, 102.0, 104.0]


def test_load_refuses_to_adjust_what_are_no_bars(root):
    with pytest.raises(ConfigError, match=r"tournament cannot be adjusted: .* 'bars' alone"):
        load("tournament", venue="v", root=root, adjusted_as_of="2020-01-01")
    with pytest.raises(MissingCellError, match="no cells of 'adjustments'"):
        load("bars", venue="v", root=root, adjusted_as_of="2020-01-01")


def test_query_reads_the_same_rows_as_load(root):
    found = query("SELECT ts, symbol, close FROM bars ORDER BY ts, symbol", root=root)
    expected = load("bars", venue="v", root=root)[["ts", "symbol", "close"]]
    assert_frame_equal(found, expected)


def test_package_door_offers_load_and_query(root):
    assert quant_assets.load("tournament", venue="v", root=root).shape == (2, 4)
    assert quant_assets.query("SELECT 1 AS one", root=root)["one"].tolist() == [1]


def test_load_cells_whose_columns_differ_as_pandas_would_put_them_together(tmp_path):
    store = SnapshotStore(tmp_path)
    first, second = bars(first=MONTHS[0]), bars(first=MONTHS[1]).assign(more=1.0)
    commit(store, Cell("bars", "v", MONTHS[0]), first)
    commit(store, Cell("bars", "v", MONTHS[1]), second)
    expected = pd.concat([first, second], ignore_index=True)
    assert_frame_equal(load("bars", venue="v", root=tmp_path), expected)


def test_load_of_several_cells_can_be_written_to(root):
    frame = load("bars", venue="v", root=root)
    frame.loc[0, "close"] = 7.0
    assert frame["close"].iloc[0] == 7.0
