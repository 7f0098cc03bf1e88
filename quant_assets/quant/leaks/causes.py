"""The likely cause of a leak, from where the changed values lie."""

import numpy as np
import numpy.typing as npt

from quant_assets.quant.leaks.futures import Probe
from quant_assets.quant.leaks.outputs import Difference
from quant_assets.quant.leaks.samples import Sample

NEAR = 64  # rows before the cut within which a fixed reach ahead is the likely cause
SCATTERED = 0.5  # of the rows between the first and the last: fewer changed here and there
BUCKETS = (("hour", "h"), ("day", "D"), ("week", "W"), ("month", "M"))


LATE_ROW = "Likely a row that came late: it is used before its available_at."
AHEAD = (
    "The output must be known before its own bar, and depends on it: a fill at, or a return of, "
    "the bar that decided."
)
NEXT = "Likely the next row: a shift by -1, or the price of a bar that is not over."
FILLED = "Likely a fill from later rows (bfill), or values of the end at the start (roll)."
UNIVERSE = "Likely the universe: symbols count that were listed later only."
WHOLE = (
    "Likely a statistic of all rows: a mean, deviation, rank, quantile, fit or choice made once "
    "over the whole sample."
)
UNKNOWN = "Rows far before the cut depend on what came after it."


def cause_of(sample: Sample, probe: Probe, found: Difference) -> str:
    """One sentence for a difference that a probe made; the first that fits."""
    rows, cut = found.rows, probe.cut
    first, last = int(rows[0]), int(rows[-1])
    late = np.flatnonzero(sample.hidden(cut)[: cut + 1])
    bucket = _bucket(sample, cut, rows)
    sentences = (
        (late.size > 0 and first >= late.min(initial=cut), LATE_ROW),
        (first > cut, AHEAD),
        (first == cut, NEXT),
        (
            bucket is not None,
            f"Likely a bar of a longer timeframe, or a statistic of the whole {bucket}: the "
            f"changed rows are those of the {bucket} of the cut.",
        ),
        (
            cut - first < min(NEAR, cut // 2),
            f"Likely a fixed reach ahead of {cut - first + 1} rows: a negative shift, a centred "
            "window, a label or target among the features.",
        ),
        (last < cut // 2, FILLED),
        (first < cut // 2 or len(rows) < SCATTERED * (last - first), WHOLE),
    )
    return next((sentence for fits, sentence in sentences if fits), UNKNOWN)


def _bucket(sample: Sample, cut: int, rows: npt.NDArray[np.intp]) -> str | None:
    """The calendar unit whose rows, up to the cut, are the changed ones."""
    if sample.ts.dtype.kind != "M":
        return None
    for name, unit in BUCKETS:
        moments = sample.ts.astype(f"datetime64[{unit}]")
        same = np.flatnonzero(moments[: cut + 1] == moments[cut])
        if 1 < len(same) < cut + 1 and rows[0] >= same[0] and len(rows) > 0.5 * len(same):
            return name
    return None
