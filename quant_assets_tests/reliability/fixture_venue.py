"""A venue so small that all pillars run in seconds: 5 perpetuals, 8-hour bars, up to 12 decisions.

The market is generated, so nothing is read from outside; every reliability test and benchmark
gives each subprocess a data root and a venues folder of its own.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TRAINING_WINDOWS = 3
FIRST, LAST, GRID_START, GRID_END = "2024-01-01", "2025-03-31", "2023-11-01", "2025-04-01"
# The benchmarks run the 12 decisions; tests, of which each runs many backfills, the first ones.
SHORT_LAST, SHORT_DECISIONS = "2024-09-30", 6
SHORTEST_LAST = "2024-06-30"

# 8 hours is the longest bar that the provider offers: 93 bars a month. All limits are loose enough
# for five symbols, and the lookback of the features fits into the training windows. No jumps: they
# would force a hundred thousand liquidations a month.
TEMPLATE = """\
name: {name}
title: Reliability fixture {name}
provider:
  name: {provider}
  settings:
    seed: {seed}
    shocks: {{asset_jumps_per_month: 0.0, market_jumps_per_month: 0.0}}
    assets:
      - {{base: AAA, first_price: 40000, own_volatility: 0.20, markets: [perpetual]}}
      - {{base: BBB, first_price: 2000, own_volatility: 0.35, markets: [perpetual]}}
      - {{base: CCC, first_price: 100, own_volatility: 0.60, markets: [perpetual]}}
      - {{base: DDD, first_price: 0.5, own_volatility: 0.50, markets: [perpetual]}}
      - {{base: EEE, first_price: 7, market_beta: 0.5, own_volatility: 0.80, markets: [perpetual]}}
history: {{first: {first}, last: {last}}}
training_windows: {training}
market:
  asset_class: crypto_perpetual
  currency: USDT
  calendar: 24/7
  time_zone: UTC
  bar_length: 8h
  bars_per_year: 1095
  price_fields: [open, high, low, close, volume]
  simulated: true
  funding: required
reference: {{benchmark: "AAA/USDT:USDT"}}
discovery: {{min_history_bars: 30, max_annual_volatility: 10.0}}
alpha: {{month_bars: 15, model_min_rows: 100, label_horizon_bars: 9, embargo_bars: 3}}
optimization: {{max_weight: 0.40}}
simulation: {{fee_bps: 5, slippage_bps: 2}}
reporting: {{rolling_bars: 90}}
"""


@dataclass(frozen=True)
class Fixture:
    """Venues of one folder, and the environment in which commands see nothing but them."""

    folder: Path
    venues: tuple[str, ...]

    def environment(self, root: Path, **extra: str) -> dict[str, str]:
        """Environment of a subprocess that works on `root` with these venues."""
        return {
            **neutral_environment(),
            "QUANT_ASSETS_DATA_ROOT": str(root),
            "QUANT_ASSETS_VENUES_FOLDER": str(self.folder),
            "QUANT_ASSETS_VENUES": "[" + ",".join(f'"{name}"' for name in self.venues) + "]",
            "QUANT_ASSETS_GRID__START": GRID_START,
            "QUANT_ASSETS_GRID__END": GRID_END,
            "QUANT_ASSETS_DETAIL": "brief",  # pictures are a fifth of a backfill: nobody looks here
            **extra,
        }


def write_fixture(
    folder: Path,
    names: Sequence[str] = ("fixture",),
    *,
    providers: Mapping[str, str] | None = None,
    last: str = LAST,
) -> Fixture:
    """Write one venue file per name, each with a seed of its own and a history until `last`."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names, start=11):
        text = TEMPLATE.format(
            name=name,
            seed=seed,
            provider=(providers or {}).get(name, "simulated"),
            first=FIRST,
            last=last,
            training=TRAINING_WINDOWS,
        )
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Fixture(folder, tuple(names))


def neutral_environment() -> dict[str, str]:
    """This process's environment without anything that points at another data root."""
    drop = ("QUANT_ASSETS_", "DAGSTER_", "COV_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(drop)}
