"""The view `prices_v2`: bars of all venues with what splits and dividends make of them.

`close` is as published; `adj_close` is comparable with the newest bar, by every event that is
stored and that the venue's prices do not contain yet (`load(…, adjusted_as_of=…)` knows other
instants). `split_factor` and `dividend` stand at the first bar at which they are in effect: units
that one unit became, and money that one unit got, of the close before.
"""

import json
from collections.abc import Iterable

import duckdb
import pyarrow as pa

from quant_assets.storage.snapshots import SnapshotStore

VIEW, BARS, EVENTS = "prices_v2", "bars", "adjustments"
_FACTS = "price_facts"
_NO_EVENTS = (
    "(SELECT NULL::VARCHAR AS venue, NULL::VARCHAR AS symbol, NULL::TIMESTAMPTZ AS ts, "
    "NULL::VARCHAR AS kind, NULL::DOUBLE AS price_factor WHERE false)"
)
_NAMES = ("venue", "timeframe", "adjustment")
_FIELDS = ("open", "high", "low", "volume")
_SQL = """
WITH b AS (
    SELECT venue, symbol, ts, {fields}, close,
        lag(ts) OVER before AS earlier,
        last_value(CASE WHEN isnan(close) THEN NULL ELSE close END IGNORE NULLS) OVER (
            before ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS last_close
    FROM bars WINDOW before AS (PARTITION BY venue, symbol ORDER BY ts)
), e AS (
    SELECT a.venue, a.symbol, a.ts, a.price_factor, a.kind IN ('split', 'denomination') AS of_units,
        f.adjustment = 'none' OR f.adjustment = 'splits' AND NOT of_units AS is_left
    FROM {events} a JOIN price_facts f USING (venue)
), here AS (
    SELECT b.venue, b.symbol, b.ts,
        product(CASE WHEN of_units THEN 1.0 / price_factor ELSE 1.0 END) AS split_factor,
        sum(CASE WHEN of_units THEN 0.0 ELSE (1.0 - price_factor) * last_close END) AS dividend
    FROM b JOIN e ON e.venue = b.venue AND e.symbol = b.symbol AND e.ts <= b.ts
        AND (b.earlier IS NULL OR e.ts > b.earlier)
    GROUP BY ALL
), later AS (
    SELECT b.venue, b.symbol, b.ts, product(price_factor) AS factor
    FROM b JOIN e ON e.venue = b.venue AND e.symbol = b.symbol AND e.ts > b.ts
    WHERE is_left GROUP BY ALL
)
SELECT b.symbol, b.ts AS timestamp, f.timeframe, b.open, b.high, b.low, b.close, b.volume,
    b.close * coalesce(later.factor, 1.0) AS adj_close,
    coalesce(here.split_factor, 1.0) AS split_factor, coalesce(here.dividend, 0.0) AS dividend,
    b.venue
FROM b JOIN price_facts f USING (venue)
    LEFT JOIN here USING (venue, symbol, ts) LEFT JOIN later USING (venue, symbol, ts)
"""


def price_assets(assets: Iterable[str], sql: str) -> set[str]:
    """Assets behind the view, where a lower-case statement names it."""
    return {BARS, EVENTS} & set(assets) if VIEW in sql else set()


def make_price_view(
    connection: duckdb.DuckDBPyConnection, store: SnapshotStore, assets: Iterable[str]
) -> None:
    """Make the view where bars are registered; an asset of its name is left alone."""
    known = set(assets)
    if BARS not in known or VIEW in known:
        return
    connection.register(_FACTS, _facts(store))
    columns = connection.sql("SELECT * FROM bars LIMIT 0").columns
    fields = (name if name in columns else f"NULL::DOUBLE AS {name}" for name in _FIELDS)
    events = EVENTS if EVENTS in known else _NO_EVENTS
    sql = _SQL.format(fields=", ".join(fields), events=events)
    connection.execute(f"CREATE VIEW {VIEW} AS {sql}")


def _facts(store: SnapshotStore) -> pa.Table:
    """Length of each venue's bars, and what its prices contain, from what its bars were made by."""
    rows = []
    for venue in store.venues(BARS):
        cell = store.cells_of(BARS, venue)[-1]
        digest = store.require(cell).config_digest
        where = f"configuration of {cell}"
        config = json.loads(store.read_bytes(digest, where=where, suffix="json"))
        market = config["market"]
        facts = (venue, market["bar_length"], market["price_adjustment"])
        rows.append(dict(zip(_NAMES, facts, strict=True)))
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in _NAMES]))
