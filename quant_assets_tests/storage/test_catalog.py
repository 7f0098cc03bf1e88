import duckdb
import numpy as np
import pandas as pd
import pytest

from quant_assets.core.errors import ConfigError, IntegrityError
from quant_assets.storage.catalog import connect, run_query
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore
from quant_assets_tests.storage.samples import ODD_SYMBOLS, bars, commit, flip_bit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two windows of bars, an odd venue, a table with its own venue column."""
    root = tmp_path_factory.mktemp("lake [x]*'q")
    store = SnapshotStore(root)
    commit(store, Cell("bars", "v", "2020-01-01"), bars())
    commit(store, Cell("bars", "v", "2020-02-01"), bars(2, first="2020-02-01"))
    commit(store, Cell("bars", "a/b", "2020-01-01"), bars().assign(extra=1.0))
    league = pd.DataFrame({"venue": pd.Series(["x"], dtype="str"), "n": np.array([7])})
    commit(store, Cell("league", "all", "all"), league)
    odd = pd.DataFrame({"symbol": pd.Series(ODD_SYMBOLS, dtype="str")})
    commit(store, Cell("Odd Names", "v", "all"), odd)
    return root


def test_run_query_counts_rows_per_venue_and_window(root):
    found = run_query(
        root, 'SELECT venue, "window", count(*) AS n FROM bars GROUP BY ALL ORDER BY ALL'
    )
    assert found.to_dict("records") == [
        {"venue": "a/b", "window": "2020-01-01", "n": 6},
        {"venue": "v", "window": "2020-01-01", "n": 6},
        {"venue": "v", "window": "2020-02-01", "n": 4},
    ]


def test_run_query_keeps_column_order_dtypes_and_missing_columns(root):
    found = run_query(root, "SELECT * FROM bars WHERE venue = 'v' ORDER BY ts, symbol")
    names = ["ts", "available_at", "symbol", "close", "extra", "venue", "window"]
    assert sorted(found.columns) == sorted(names)
    assert list(found.columns)[:4] == names[:4]
    assert found["extra"].isna().all()
    assert str(found["ts"].dtype) == "datetime64[us, UTC]"
    assert str(found["symbol"].dtype) == "str"
    pd.testing.assert_series_equal(found["close"].head(6), bars()["close"])


def test_run_query_days_are_utc_days_whatever_the_machine_says(root, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    found = run_query(
        root,
        "SELECT DISTINCT date_trunc('day', available_at) AS day, current_setting('TimeZone') AS z "
        "FROM bars ORDER BY day LIMIT 1",
    )
    assert found["day"][0] == pd.Timestamp("2020-01-01", tz="UTC")
    assert found["z"][0] == "UTC"


def test_run_query_sums_of_integers_are_numbers(root):
    found = run_query(root, "SELECT sum(n) AS n, count(*) AS c FROM league")
    assert found.to_dict("records") == [{"n": 7.0, "c": 1}]


def test_run_query_own_venue_column_is_not_doubled(root):
    assert run_query(root, "SELECT venue FROM league")["venue"].tolist() == ["x"]


def test_run_query_odd_asset_names_and_symbols_survive(root):
    assert run_query(root, 'SELECT symbol FROM "Odd Names"')["symbol"].tolist() == ODD_SYMBOLS


def test_run_query_sees_current_versions_even_before_links_are_remade(tmp_path):
    store = SnapshotStore(tmp_path)
    cell = Cell("bars", "v", "2020-01-01")
    commit(store, cell, bars())
    commit(store, cell, bars(scale=2.0))
    store.layout.view(cell).unlink()
    assert run_query(tmp_path, "SELECT min(close) AS low FROM bars")["low"][0] == 200.0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('{root}/../../etc/hostname')",
        "SELECT * FROM read_parquet('{root}/lake/*/*/*.parquet')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{root}/lake/evil.csv'",
        "WITH x AS (COPY (SELECT 1) TO '{root}/lake/evil.csv') SELECT 1",
        "EXPORT DATABASE '{root}/evil'",
        "ATTACH '{root}/evil.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access=true",
        "SET allowed_directories=['/']",
        "RESET enable_external_access",
        "SET lock_configuration=false",
        "SET TimeZone='Asia/Tokyo'",
    ],
)
def test_run_query_reaches_no_file_and_no_setting(root, sql):
    before = sorted(root.rglob("*"))
    with pytest.raises(ConfigError):
        run_query(root, sql.format(root=str(root).replace("'", "''")))
    assert sorted(root.rglob("*")) == before


def test_connect_cannot_write_to_the_lake(root):
    with connect(root) as connection, pytest.raises(duckdb.Error, match="is not an table"):
        connection.execute("INSERT INTO league VALUES ('y', 1, 'all')")


def test_run_query_unknown_table_lists_the_assets(root):
    with pytest.raises(
        ConfigError, match=r"nothing.*\n*.*assets with cells: Odd Names, bars, league"
    ):
        run_query(root, "SELECT * FROM nothing")


def test_run_query_bare_window_gets_a_hint(root):
    with pytest.raises(ConfigError, match='"window" in double quotes'):
        run_query(root, "SELECT window FROM bars")


@pytest.mark.parametrize("sql", ["", "-- nothing"])
def test_run_query_without_rows_is_refused(root, sql):
    with pytest.raises(ConfigError, match="write one SELECT"):
        run_query(root, sql)


def test_run_query_damaged_page_is_noticed(tmp_path):
    store = SnapshotStore(tmp_path)
    manifest = commit(store, Cell("bars", "v", "2020-01-01"), bars(300))
    path = store.layout.object(manifest.sha256)
    flip_bit(path, path.stat().st_size // 2)
    with pytest.raises(IntegrityError, match="quant-assets verify"):
        run_query(tmp_path, "SELECT sum(close), max(ts), max(available_at), max(symbol) FROM bars")


def test_run_query_empty_root_says_none_yet(tmp_path):
    with pytest.raises(ConfigError, match="none yet"):
        run_query(tmp_path, "SELECT * FROM bars")


def test_run_query_integer_column_that_became_float_is_read_as_float(tmp_path):
    store = SnapshotStore(tmp_path)
    commit(store, Cell("n", "v", "a"), pd.DataFrame({"x": np.array([1, 2])}))
    commit(store, Cell("n", "v", "b"), pd.DataFrame({"x": [0.5]}))
    assert run_query(tmp_path, "SELECT sum(x) AS s FROM n")["s"][0] == 3.5
