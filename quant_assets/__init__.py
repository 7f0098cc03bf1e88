"""quant_assets: quantitative research and portfolios as a declarative Dagster workflow.

from quant_assets import load
weights = load("portfolio_weights", venue="sp500_demo", window="1995-06-01")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quant_assets.quant.simulation.execution.runs import backtest
    from quant_assets.storage.reading import load, query

__all__ = ["backtest", "load", "query"]


def __getattr__(name: str) -> Any:
    if name == "backtest":
        from quant_assets.quant.simulation.execution import runs

        return runs.backtest
    if name in __all__:
        from quant_assets.storage import reading

        return getattr(reading, name)
    raise AttributeError(f"module 'quant_assets' has no attribute {name!r}; it offers {__all__}")
