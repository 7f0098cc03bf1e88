"""Views over the assets of all strategies, with the column names of the backtester's tables.

`strategy_trades`, `strategy_equity`, … put the assets of all strategies under one another, with the
columns of their contract, venue and window. `strategy_runs_v2`, `trades_v2`, `walkforward_results`
and `optimization_trials` say the same with an `id`, dates and times, and with each trade's run; a
trade that is open at the end of a run is a row without exit.
"""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from quant_assets.storage.manifests import Manifest
from quant_assets.storage.paths import Cell
from quant_assets.storage.snapshots import SnapshotStore

# View -> contract, and how its assets' names end ("": any).
_UNIONS = {
    "strategy_signals": ("StrategySignals", ""),
    "strategy_state": ("StrategyState", "_state"),
    "strategy_orders": ("StrategyOrders", ""),
    "strategy_fills": ("StrategyFills", ""),
    "strategy_trades": ("StrategyTrades", "_trades"),
    "strategy_positions": ("StrategyPositions", "_positions"),
    "strategy_equity": ("StrategyEquity", "_equity"),
    "strategy_leaks": ("StrategyLeaks", ""),
    "strategy_runs": ("StrategyRuns", ""),
    "strategy_walks": ("WalkforwardResults", ""),
    "walkforward_equity": ("StrategyEquity", "_walk_equity"),
    "walkforward_orders": ("StrategyOrders", "_walk_orders"),
    "walkforward_trades": ("StrategyTrades", "_walk_trades"),
    "strategy_searches": ("OptimizationTrials", ""),
}
# Of walk-forwards, whose runs are others.
_WALKED = tuple(f"_walk_{part}" for part in ("state", "equity", "orders", "fills", "trades"))
_WALKED += ("_walk_positions",)
_CELLS, _WRITTEN = "strategy_cells", "strategy_written"
_ONCE_WRITTEN = ("strategy_walks", "strategy_searches")  # whose rows say when
_WALKS = """
SELECT w.parent_run_id || '-' || w."window" AS id, w.* EXCLUDE (asset),
    c.written_at::TIMESTAMPTZ AS created_at
FROM strategy_walks w LEFT JOIN strategy_written c USING (asset, venue, "window")
"""
_TRIALS = """
SELECT t.run_id || '-' || t."window" || '-' || t.trial_number AS id, t.* EXCLUDE (asset),
    c.written_at::TIMESTAMPTZ AS completed_at
FROM strategy_searches t LEFT JOIN strategy_written c USING (asset, venue, "window")
"""
_RUNS_V2 = """
SELECT id, strategy_name, strategy_version, strategy_hash, param_hash, param_yaml, run_type,
    nullif(parent_run_id, '') AS parent_run_id, universe_name, start_date::DATE AS start_date,
    end_date::DATE AS end_date, initial_capital, status, c.created_at::TIMESTAMPTZ AS created_at,
    c.completed_at::TIMESTAMPTZ AS completed_at,
    c.duration_seconds, symbols_processed, trades_count,
    nullif(error_message, '') AS error_message, metadata, trusted, venue
FROM strategy_runs r LEFT JOIN strategy_cells c USING (strategy_name, venue)
"""
_TRADES_V2 = """
SELECT r.id || '-' || t.trade_id AS id, r.id AS run_id, t.symbol, t.direction,
    t.entry_ts::DATE AS entry_date, t.entry_price,
    (t.entry_ts AT TIME ZONE 'UTC')::TIME AS entry_time,
    t.exit_ts::DATE AS exit_date, t.exit_price,
    (t.exit_ts AT TIME ZONE 'UTC')::TIME AS exit_time, t.shares, t.pnl,
    t.pnl_pct, t.commission_cost, t.slippage_cost, t.borrowing_cost,
    nullif(t.entry_signal, '') AS entry_signal, t.exit_reason, t.hold_days,
    t.max_favorable_excursion, t.max_adverse_excursion,
    nullif(t.regime_at_entry, '') AS regime_at_entry, t.regime_confidence, t.volatility_at_entry,
    t.volume_at_entry, t.position_size_pct, t.portfolio_heat, t.drawdown_at_entry,
    t.fill_quality_score, t.market_impact, t.funding, t.penalty, t.mfe, t.mae, t.strategy_name,
    t.venue
FROM (
    SELECT * FROM strategy_trades
    UNION ALL BY NAME
    SELECT p.* FROM strategy_positions p
    SEMI JOIN (
        SELECT strategy_name, venue, max("window") AS "window" FROM strategy_equity GROUP BY ALL
    ) USING (strategy_name, venue, "window")
) t JOIN (
    SELECT id, strategy_name, venue FROM strategy_runs WHERE run_type = 'backtest'
) r USING (strategy_name, venue)
"""
_DERIVED = {
    "strategy_runs_v2": (_RUNS_V2, ("strategy_runs",)),
    "trades_v2": (
        _TRADES_V2,
        ("strategy_trades", "strategy_positions", "strategy_equity", "strategy_runs"),
    ),
    "walkforward_results": (_WALKS, ("strategy_walks",)),
    "optimization_trials": (_TRIALS, ("strategy_searches",)),
}
VIEWS = (*_UNIONS, *_DERIVED)


def strategy_assets(store: SnapshotStore, assets: Iterable[str]) -> dict[str, list[str]]:
    """Assets by the view that puts them together; views without assets are left out."""
    contracts = {asset: _contract(store, asset) for asset in assets}
    found = {
        view: [
            asset
            for asset, own in contracts.items()
            if own == contract
            and asset.endswith(end)
            and asset.endswith(_WALKED) == end.startswith("_walk_")
        ]
        for view, (contract, end) in _UNIONS.items()
    }
    return {view: own for view, own in found.items() if own}


def needed_assets(store: SnapshotStore, sql: str, assets: Iterable[str]) -> set[str]:
    """Assets behind the views that a lower-case statement names."""
    named = [view for view in VIEWS if view in sql]
    if not named:
        return set()
    own = strategy_assets(store, assets)
    parts = {part for view in named for part in _DERIVED.get(view, ("", (view,)))[1]}
    return {asset for part in parts for asset in own.get(part, [])}


def make_views(
    connection: duckdb.DuckDBPyConnection, store: SnapshotStore, assets: Iterable[str]
) -> None:
    """Make the views whose assets are registered; a name that is an asset's own is left alone."""
    names = set(assets)
    own = strategy_assets(store, names)
    made = set()
    for view, parts in own.items():
        if view not in names:
            named = view in _ONCE_WRITTEN
            tables = (
                f'SELECT *{_asset(part) if named else ""} FROM "{part}"'  # noqa: S608 - assets
                for part in parts
            )
            connection.execute(f'CREATE VIEW "{view}" AS {" UNION ALL BY NAME ".join(tables)}')
            made.add(view)
    if "strategy_runs" in made:
        connection.register(_CELLS, _cells(store, own["strategy_runs"]))
    searched = [part for view in _ONCE_WRITTEN if view in made for part in own[view]]
    if searched:
        connection.register(_WRITTEN, _written(store, searched))
    for view, (sql, needed) in _DERIVED.items():
        if made.issuperset(needed) and view not in names:
            connection.execute(f'CREATE VIEW "{view}" AS {sql}')


def _asset(name: str) -> str:
    return f", '{name}' AS asset"


def _written(store: SnapshotStore, assets: Iterable[str]) -> pa.Table:
    """When each cell was written."""
    rows = [
        {
            "asset": asset,
            "venue": venue,
            "window": cell.window,
            "written_at": store.require(cell).run.written_at,
        }
        for asset in assets
        for venue in store.venues(asset)
        for cell in store.cells_of(asset, venue)
    ]
    names = ("asset", "venue", "window", "written_at")
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))


def _contract(store: SnapshotStore, asset: str) -> str:
    """Contract of an asset's first cell."""
    for venue in store.venues(asset):
        for cell in store.cells_of(asset, venue)[:1]:
            return store.require(cell).contract
    return ""


def _cells(store: SnapshotStore, runs: Iterable[str]) -> pa.Table:
    """When the cells of each run were written, and how long they took."""
    rows = []
    for asset in runs:
        name = asset.removesuffix("_runs")
        for venue in store.venues(asset):
            last = store.require(Cell(asset, venue, "all"))
            windows = [store.require(cell) for cell in store.cells_of(f"{name}_state", venue)]
            leaks = store.manifest(Cell(f"{name}_leaks", venue, "all"))
            whole: list[Manifest] = [*windows, last, *([leaks] if leaks is not None else [])]
            rows.append(
                {
                    "strategy_name": name,
                    "venue": venue,
                    "created_at": min(one.run.written_at for one in whole),
                    "completed_at": last.run.written_at,
                    "duration_seconds": sum(one.run.seconds for one in whole),
                }
            )
    names = ("strategy_name", "venue", "created_at", "completed_at")
    fields = [*((name, pa.string()) for name in names), ("duration_seconds", pa.float64())]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
