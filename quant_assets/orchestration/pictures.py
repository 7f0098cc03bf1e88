"""One small static picture per asset and run, shown in the Dagster UI."""

import base64
import io

import pandas as pd

from quant_assets.contracts.base import Contract


def newest_picture(contract: type[Contract], frame: pd.DataFrame) -> str:
    """Markdown with an inline PNG of the frame's most telling columns; empty when there is none."""
    from matplotlib.figure import Figure

    clock = "ts" if "ts" in frame.columns else None
    numbers = [c for c in frame.select_dtypes("float").columns if frame[c].notna().any()]
    who = next((c for c in ("entrant", "symbol", "stream", "signal") if c in frame.columns), None)
    if not numbers or who is None:
        return ""
    figure = Figure(figsize=(6.4, 2.6), dpi=80, layout="constrained")
    axes = figure.add_subplot()
    value = _headline(contract.__name__, numbers)
    if clock is not None and frame[clock].nunique() > 2:
        wide = frame.pivot_table(index=clock, columns=who, values=value, aggfunc="last", observed=True)
        axes.plot(wide.index.to_numpy(), wide.to_numpy(), linewidth=0.8)
    else:
        series = frame.groupby(who)[value].sum().sort_values()
        axes.barh([str(name) for name in series.index[-25:]], series.to_numpy()[-25:])
        axes.tick_params(labelsize=6)
    axes.set_title(f"{contract.__name__}.{value}", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return f"![{value}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"


_HEADLINES = {"Bars": "close", "Equity": "equity", "PortfolioWeights": "weight", "Returns": "returns"}


def _headline(contract: str, numbers: list[str]) -> str:
    wanted = _HEADLINES.get(contract, numbers[0])
    return wanted if wanted in numbers else numbers[0]
