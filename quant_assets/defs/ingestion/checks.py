"""What the deliveries themselves leave in doubt, as Dagster asset checks."""

from quant_assets.orchestration.checks import doubt_check
from quant_assets.quant.market.alignment import STAMPED_AT_CLOSE, TIME_SHIFT

clocks = doubt_check(
    "shifted_clocks",
    "No symbol lies hours (a time zone) or one bar (stamped at the close) off the others.",
    reasons=(STAMPED_AT_CLOSE, TIME_SHIFT),
)
