"""One small static picture per asset and run, shown in the Dagster UI."""

import base64

import pandas as pd

from quant_assets.contracts.base import Contract


def newest_picture(contract: type[Contract], frame: pd.DataFrame) -> str:
    """Markdown with an inline PNG of the frame; empty when there is nothing to draw."""
    from quant_assets.reporting.pictures import picture

    png = picture(contract.__name__, frame)
    if png is None:
        return ""
    return f"![{contract.__name__}](data:image/png;base64,{base64.b64encode(png).decode()})"
