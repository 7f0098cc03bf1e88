"""The golden trades: `python -m quant_assets_tests.quant.strategies.library.golden` writes them."""

import hashlib
import json
from functools import cache
from pathlib import Path

from quant_assets import backtest
from quant_assets.quant.strategies import library_strategies
from quant_assets_tests.quant.strategies.library.cases import case, without_costs

FILE = Path(__file__).with_name("golden.json")


@cache
def golden():
    """Figures by strategy, as they were committed."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def summary(result):
    """Number, span and content of the trades (prices to nine digits), and what they came to."""
    trades = result.trades
    columns = ["symbol", "direction", "entry_ts", "exit_ts", "entry_price", "exit_price"]
    lines = [
        "|".join(f"{v:.9g}" if isinstance(v, float) else str(v) for v in row)
        for row in trades[columns].sort_values(columns[:3]).itertuples(index=False)
    ]
    return {
        "trades": result.n_trades,
        "fills": len(result.fills),
        "first_ts": str(result.fills["ts"].min()),
        "last_ts": str(result.fills["ts"].max()),
        "total_return": round(result.total_return, 12),
        "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }


def main():
    """Write the file."""
    found = {}
    for name in library_strategies():
        strategy, bars = case(name)
        found[name] = summary(backtest(strategy, bars, without_costs(bars)))
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
