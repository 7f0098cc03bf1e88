"""What a reader must know of strategies that take part in a venue, as stamps of its tear sheet."""

from collections.abc import Mapping

import pandas as pd

from quant_assets.core.venues import StrategyRoles

LEAKS = "_leaks"


def role_stamps(roles: StrategyRoles, leaks: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """Sentences on entrants, on streams, and on every strategy that the leak check does not trust.

    leaks : `<strategy>_leaks` of the strategies that are named; one without rows was not checked.
    """
    found = []
    if roles.entrants:
        found.append(
            f"STRATEGIES: {_listed(roles.entrants)} trade bar by bar, by rules, costs and capital "
            "of their own; all other entrants decide once a window"
        )
    if roles.streams:
        found.append(
            "STREAMS OF STRATEGIES: the optimizers also choose among what "
            f"{_listed(roles.streams)} held before each decision"
        )
    for asset in sorted(leaks):
        frame = leaks[asset]
        verdict = frame[(frame["finding"] == 0).to_numpy()]
        if len(verdict) and verdict["trusted"].iloc[0]:
            continue
        text = verdict["text"].iloc[0] if len(verdict) else "not checked"
        found.append(f"NOT TRUSTED: {asset.removesuffix(LEAKS)} by the leak check: {text}")
    return tuple(found)


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(set(names)))
