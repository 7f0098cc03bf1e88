"""Contract of `StrategyRuns`."""

from typing import ClassVar

import pandera.pandas as pa

from quant_assets.contracts.base import Contract, Timestamp


class StrategyRuns(Contract):
    """One backtest of a strategy over all windows of a venue, with what makes it repeatable.

    `id` follows from strategy, venue, hashes and mode: the same run has the same. Dates are UTC.
    `trusted` is the leak check's verdict. `metadata` is JSON: figures of the returns, assumptions,
    and the verdict in words.
    """

    _key: ClassVar[tuple[str, ...]] = ("id",)

    id: str
    strategy_name: str
    strategy_version: str
    strategy_hash: str
    param_hash: str
    param_yaml: str
    run_type: str = pa.Field(isin=["backtest", "walk_forward", "monte_carlo", "optimization"])
    parent_run_id: str
    universe_name: str
    start_date: Timestamp
    end_date: Timestamp
    initial_capital: float = pa.Field(gt=0)
    status: str = pa.Field(isin=["completed", "no_bars"])
    symbols_processed: int = pa.Field(ge=0)
    trades_count: int = pa.Field(ge=0)
    error_message: str
    trusted: bool
    metadata: str
