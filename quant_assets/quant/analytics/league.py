"""The league: every venue's leaderboard in one table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from quant_assets.contracts.league import League

_COLUMNS = ["n_bars", "n_windows", "cagr_net", "annual_volatility", "sharpe_ratio", "max_drawdown"]


def league_table(leaderboards: Mapping[str, pd.DataFrame], simulated: set[str]) -> pd.DataFrame:
    """Rank the entrants of all venues by net Sharpe ratio, a `League` frame.

    leaderboards : `Tournament` frame by venue; its rank 0 is the benchmark and is not ranked.
    simulated : venues whose data are generated; their entrants come last.

    Ties go by venue and entrant; an entrant without a Sharpe ratio comes last of its kind.
    """
    parts = []
    for venue, board in sorted(leaderboards.items()):
        entrants = board[board["rank"] > 0]
        benchmark = board.loc[board["rank"] == 0, "cagr_net"]
        part = entrants[["entrant", *_COLUMNS]].copy()
        part.insert(0, "venue", venue)
        part["simulated"] = venue in simulated
        part["excess_cagr"] = part["cagr_net"] - (benchmark.iloc[0] if len(benchmark) else np.nan)
        parts.append(part)
    if not parts or not sum(len(part) for part in parts):
        return League.empty()
    table = pd.concat(parts, ignore_index=True)
    table["order"] = -table["sharpe_ratio"].fillna(-np.inf)
    table = table.sort_values(["simulated", "order", "venue", "entrant"], ignore_index=True)
    table["rank"] = np.arange(1, len(table) + 1, dtype="int64")
    frame = table[list(League.to_schema().columns)]
    return frame.astype({"venue": "str", "entrant": "str"})
