"""Whose figures may be believed: what the leak checks say, entrant by entrant."""

from collections.abc import Collection, Mapping

import pandas as pd

OF_ENTRANTS = frozenset({"target_weights", "portfolio_weights", "equity", "fills"})
CHAMPION, LEAKS, WALK = "champion", "_leaks", "_walk"


def trusted_entrants(
    entrants: Collection[str],
    model_leaks: pd.DataFrame,
    leaks: Mapping[str, pd.DataFrame],
    streams: Collection[str] = (),
) -> dict[str, bool]:
    """Whether the leak check trusts all that made each entrant; what was not examined is not.

    Parameters
    ----------
    entrants
        Names of the leaderboard.
    model_leaks
        `ModelLeaks` of all windows: one refusal in any of them is one too many. Pool, signals and
        clusters are everybody's, and so is a strategy among the `streams`; weights, equity and
        fills are an entrant's own. The champion may follow anybody.
    leaks
        `<strategy>_leaks` of the strategies of the venue, which judge the entrants of these names.
    """
    own = model_leaks["asset"].isin(OF_ENTRANTS).to_numpy(dtype=bool)
    good = model_leaks["trusted"].to_numpy(dtype=bool)
    shared = bool(len(model_leaks)) and bool(good[~own].all())
    shared &= all(_is_trusted(leaks.get(_leaks_of(name))) for name in streams)
    judged = set(model_leaks["plug_in"][own])
    refused = set(model_leaks["plug_in"][own & ~good])
    found = {}
    for name in entrants:
        if name in judged:
            mine = not refused if name == CHAMPION else name not in refused
            found[name] = shared and mine
        else:
            found[name] = _is_trusted(leaks.get(_leaks_of(name)))
    return found


def _leaks_of(strategy: str) -> str:
    return f"{strategy.removesuffix(WALK)}{LEAKS}"


def _is_trusted(frame: pd.DataFrame | None) -> bool:
    return frame is not None and bool(len(frame)) and bool(frame["trusted"].iloc[0])
