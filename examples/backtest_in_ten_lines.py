"""A strategy in fewer than ten lines, on the stored bars of the demo.

quant-assets demo --windows 3
python examples/backtest_in_ten_lines.py
"""

from quant_assets import backtest, load
from quant_assets.quant.leaks import check_strategy
from quant_assets.quant.market.bar_panel import BarPanel
from quant_assets.quant.risk import TrailingStop
from quant_assets.quant.sizing.entry import FixedFraction
from quant_assets.quant.strategies import StrategyBuilder
from quant_assets.quant.strategies.rules import MaCrossDown, MaCrossUp


def demo_bars() -> BarPanel:
    """Closes of 20 stocks; the demo's source has no other prices."""
    frame = load("bars", venue="sp500_demo")
    step = frame["ts"].drop_duplicates().diff().min().to_pytimedelta()
    return BarPanel.from_frame(frame[["ts", "available_at", "symbol", "close"]], bar_length=step)


def main() -> None:
    """Build, check, simulate, and say where the result came from."""
    bars = demo_bars()
    strategy = (
        StrategyBuilder("cross")
        .with_signals(
            entry_long=MaCrossUp(fast=10, slow=30), exit_long=MaCrossDown(fast=10, slow=30)
        )
        .with_sizing(FixedFraction(fraction=0.1))
        .with_risk(TrailingStop(pct=0.08))
        .build()
    )
    result = backtest(strategy, bars)
    print(f"leak check: {check_strategy(strategy, bars).verdict}")
    print(f"{result.n_trades} closed trades, total return {result.total_return:.2%}")
    print(result.trades["exit_reason"].value_counts()[lambda n: n > 0].to_string())
    print(result.costs["amount"].round(2).to_string())
    best = result.by_symbol["pnl"].idxmax()
    print(f"best: {best}, {result.by_symbol.loc[best, 'pnl']:.2f}")
    print(f"the same run has the same hash: {result.hash()[:16]}")


if __name__ == "__main__":
    main()
