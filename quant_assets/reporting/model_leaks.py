"""What a reader must know of models that the leak check does not trust, as stamps of a report."""

import pandas as pd

MOST = 8  # sentences


def model_stamps(leaks: pd.DataFrame) -> tuple[str, ...]:
    """One sentence per plug-in that is not trusted, with the first window that shows why.

    leaks : `ModelLeaks` of all windows of a venue. Where all are trusted nothing is said, and so
    where nothing was examined yet.
    """
    refused = leaks[~leaks["trusted"].to_numpy(dtype=bool)].sort_values("ts", kind="stable")
    found = [
        f"NOT TRUSTED: {row.plug_in} of {row.asset} by the leak check: {row.verdict}, first in "
        f"{row.ts:%Y-%m-%d}: {row.text}"
        for row in refused.drop_duplicates(["asset", "plug_in"]).itertuples()
    ]
    more = len(found) - MOST
    return tuple([*found[:MOST], f"NOT TRUSTED: {more} more parts"] if more > 0 else found)
