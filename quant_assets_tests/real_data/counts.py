"""What becomes of every file of a folder of real market data; `python -m … FOLDER` writes it.

Each file is one delivery to a venue that fits it. What is written down is what a user would see:
the layout, and by dataset the rows in, stored, quarantined, repaired, flagged and missing.
"""

import json
import sys
import tempfile
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.files.recognition import recognise
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue
from quant_assets.operations.intake.delivery import Origin, deliver
from quant_assets.operations.intake.inspection import coverage
from quant_assets.storage.paths import Layout
from quant_assets.storage.sources import SourceStore

PAGE = Path(__file__).with_name("counts.json")
RECEIVED = datetime(2026, 10, 1, tzinfo=UTC)
COUNTS = ("rows", "stored", "quarantined", "dropped", "undated", "repaired", "flagged")
PRICES = ["open", "high", "low", "close", "volume"]
PERP = {"asset_class": "crypto_perpetual", "currency": "USDT", "calendar": "24/7", "zone": "UTC"}
SPOT = {**PERP, "asset_class": "crypto_spot"}
STOCK = {
    "asset_class": "equity",
    "currency": "USD",
    "calendar": "XNYS",
    "zone": "America/New_York",
    "bar": "1d",
}
FX = {
    "asset_class": "fx",
    "currency": "USD",
    "calendar": "FX",
    "zone": "UTC",
    "bar": "1d",
    "fields": PRICES[:4],
}
FUTURE = {
    **FX,
    "asset_class": "future",
    "calendar": "CME",
    "zone": "America/Chicago",
    "fields": PRICES,
}
SELECT = {"settings": {"select": {"venue": "binance", "market": "perp"}}}
# First pattern that fits wins; the rest of a market's facts are the defaults above.
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("binance/raw/*-1m-*", {**PERP, "bar": "1m"}),
    ("binance/raw/*-15m-*", {**PERP, "bar": "15m"}),
    ("binance/raw/*/spot/*.feather", {**SPOT, "bar": "5m"}),
    ("binance/raw/stream*/spot/*", {**SPOT, "bar": "1m"}),
    ("binance/raw/stream*/usdm/*", {**PERP, "bar": "1m"}),
    ("binance/raw/*", {**PERP, "bar": "5m"}),
    ("binance/tidy/*", {**PERP, "bar": "5m", **SELECT}),
    ("binance/universe_usdm/*", {**PERP, "bar": "1d", **SELECT}),
    ("bitfinex/*", {**SPOT, "bar": "1m", "currency": "USD"}),
    ("lean_crypto/*_1m*", {**PERP, "bar": "1m"}),
    ("lean_crypto/*_5m*", {**PERP, "bar": "5m"}),
    ("lean_crypto/*", {**SPOT, "bar": "1d"}),
    (
        "multi_venue/spot_perp*",
        {
            **SPOT,
            "bar": "8h",
            "settings": {"select": {"exchange": "binance", "contract": "spot"}},
        },
    ),
    ("multi_venue/*", {**PERP, "bar": "1h", **SELECT}),
    ("futures/6E*", {**FUTURE, "bar": "1m"}),
    ("futures/*/hour/*", {**FUTURE, "bar": "1h"}),
    ("futures/*quote*", {**FUTURE, "fields": PRICES[:4]}),
    ("futures/*", FUTURE),
    ("fx/ejtrader/*h1*", {**FX, "bar": "1h", "settings": {"scale": 100000}}),
    ("fx/ejtrader/*", {**FX, "settings": {"scale": 100000}}),
    ("fx/*/hour/*", {**FX, "bar": "1h"}),
    ("fx/*", FX),
    ("benchmarks/*adj_close*", {**STOCK, "fields": ["close"]}),
    ("benchmarks/vix-daily*", {**STOCK, "fields": PRICES[:4]}),
    ("benchmarks/skfolio*", {**STOCK, "fields": ["close"]}),
    ("*", STOCK),
]


# Files whose rows or own names do not tell the instrument are named as their folder or page does.
NAMED = {
    "bitfinex/raw/LTCUSD/Candles_1m/2013/merged.json.gz": "LTCUSD-1m.json.gz",
    "lean_crypto/btcusd_coinbase_daily.csv": "BTCUSD.csv",
    "lean_crypto/btcusdt_perp_bybit_1m.csv": "BTCUSDT.csv",
    "lean_crypto/btcusd_perp_1m.csv": "BTCUSD.csv",
    "lean_crypto/btcusd_perp_5m.csv": "BTCUSD.csv",
}


def venue_for(name: str) -> Venue:
    """The venue that a file of this name is delivered to."""
    kind = next(kind for pattern, kind in KINDS if fnmatch(name, pattern))
    fields = kind.get("fields", PRICES)
    return Venue.model_validate(
        {
            "name": "counted",
            "title": name,
            "provider": {"name": "files", "settings": kind.get("settings", {})},
            "history": {"first": "1989-12-01"},
            "market": {
                "asset_class": kind["asset_class"],
                "currency": kind["currency"],
                "calendar": kind["calendar"],
                "time_zone": kind["zone"],
                "bar_length": kind["bar"],
                "bars_per_year": 252,
                "price_fields": fields,
                "price_adjustment": "total_return" if fields == ["close"] else "none",
            },
            "alpha": {"month_bars": 21},
            "simulation": {"fill": "next_close" if fields == ["close"] else "next_open"},
        }
    )


def outcome(path: Path, name: str) -> dict[str, Any]:
    """What becomes of one file: its layouts and counts, or why it was refused."""
    venue = venue_for(name)
    with tempfile.TemporaryDirectory() as folder:
        store = SourceStore(Layout(Path(folder)), venue.name)
        found: list[str] = []

        def raws():
            for file in open_source(path, name=NAMED.get(name)):
                layout = recognise(file)
                if layout.name not in found:
                    found.append(layout.name)
                yield from layout.read(file, venue)

        facts = Origin(path.name, name, path.stat().st_size, "", RECEIVED)
        try:
            receipt = deliver(store, venue, facts, list(raws()))
        except DataError as error:
            return {"refused": _short(str(error))}
        missing: dict[str, int] = {}
        for row in coverage(store, venue):
            missing[row.dataset] = missing.get(row.dataset, 0) + row.missing
        datasets = {
            dataset: {
                **{count: counts[count] for count in COUNTS if counts.get(count)},
                **({"missing": missing[dataset]} if missing.get(dataset) else {}),
                "symbols": len(receipt.symbols.get(dataset, [])),
            }
            for dataset, counts in receipt.counts.items()
        }
        return {"layout": ", ".join(found), **datasets}


def _short(message: str) -> str:
    return message.splitlines()[0][:160]


def data_files(folder: Path) -> list[str]:
    """Relative names of the data files, sorted."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if "/" in name)


def main() -> None:
    """Write the counts of a folder."""
    folder = Path(sys.argv[1])
    found = {}
    for name in data_files(folder):
        found[name] = outcome(folder / name, name)
        print(name, json.dumps(found[name]), flush=True)  # noqa: T201 - a script
    lines = [f"{json.dumps(name)}: {json.dumps(facts)}" for name, facts in found.items()]
    PAGE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
