"""Symbols as exchanges write them, as unified symbols: `BTCUSDT` of a perpetual is `BTC/USDT:USDT`.

What an exchange calls `BTCUSDT` is another instrument on its spot and its derivatives market, so
the venue's asset class decides. The quote currency is the venue's, or else one that is known.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from quant_assets.adapters.layouts.base import SourceFile
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue, format_duration, parse_duration

Mask = npt.NDArray[np.bool_]
QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDS", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
_NATIVE = re.compile(r"([^\W_]{2,40})(?:_(PERP|\d{6}))?")
_BASE = re.compile(r"([^\W_]{1,30})(?:_(\d{6}))?")
_SUFFIX = re.compile(r"\.(gz|csv|txt|json|jsonl|feather)$", re.IGNORECASE)
_BITCOIN_CONTRACT_USD, _CONTRACT_USD = 100.0, 10.0


def unified(native: str, venue: Venue) -> str | None:
    """The unified symbol of a native one; None when it is not BASE + QUOTE.

    `_PERP` and a date after a pair in USD mark Binance's coin-margined contracts, which settle in
    the base: `BTCUSD_PERP` is `BTC/USD:BTC`, `BTCUSDT_240628` is `BTC/USDT:USDT-240628`.
    """
    match = _NATIVE.fullmatch(native.upper())
    if match is None:
        return None
    pair, tail = match[1], match[2]
    for quote in (venue.market.currency, *QUOTES):
        if not pair.endswith(quote) or len(pair) == len(quote):
            continue
        base = pair.removesuffix(quote)
        settle = base if tail and quote == "USD" else quote
        return _instrument(base, quote, settle, tail, venue)
    return None


def of_base(base: str, venue: Venue) -> str | None:
    """The unified symbol of a base asset in the venue's currency; a native symbol will do, too.

    A date behind the base, as in `ETH_250627`, marks a contract that ends on that day.
    """
    currency = venue.market.currency
    if base.upper().endswith(currency) and len(base) > len(currency):
        return unified(base, venue)
    match = _BASE.fullmatch(base.upper())
    return _instrument(match[1], currency, currency, match[2], venue) if match else None


def _instrument(base: str, quote: str, settle: str, tail: str | None, venue: Venue) -> str:
    if venue.market.asset_class == "crypto_spot":
        return f"{base}/{quote}"
    if venue.market.asset_class != "crypto_perpetual":
        raise DataError(
            f"venue {venue.name} is {venue.market.asset_class}, the file has crypto data ({base} in"
            f" {quote}). Deliver it to a venue of crypto_spot or crypto_perpetual."
        )
    return f"{base}/{quote}:{settle}" + (f"-{tail}" if tail and tail.isdigit() else "")


def is_inverse(symbol: str) -> bool:
    """Whether a unified symbol settles in its base asset; its quantities are then contracts."""
    base, _, rest = symbol.partition("/")
    return rest.partition(":")[2].partition("-")[0] == base


def contract_usd(symbol: str) -> float:
    """Worth in USD of one coin-margined contract of Binance: 100 for BTC, 10 for all others."""
    return _BITCOIN_CONTRACT_USD if symbol.startswith("BTC/") else _CONTRACT_USD


def symbols_of(words: pd.Series, resolve: Callable[[str], str | None]) -> tuple[pd.Series, Mask]:
    """Each word resolved, and a mask of those that cannot be; they stay as they are."""
    known = {word: resolve(word) for word in words.unique()}
    strange = words.isin([word for word, symbol in known.items() if symbol is None]).to_numpy()
    names = {word: symbol if symbol is not None else word for word, symbol in known.items()}
    return words.map(names).astype("str"), np.asarray(strange, dtype=bool)


def stem(file: SourceFile) -> str:
    """The last part of the file's name, without folders, archive and endings."""
    name = file.name.rsplit("/", 1)[-1]
    while (shorter := _SUFFIX.sub("", name)) != name:
        name = shorter
    return name


def named(file: SourceFile, pattern: str, *, like: str) -> re.Match[str]:
    """Match the whole stem of the file's name; a `DataError` says what it should be like."""
    match = re.fullmatch(pattern, stem(file))
    if match is None:
        raise DataError(
            f"{file.name}: its rows do not say which instrument they are of, so its name must. "
            f"Name it like {like}."
        )
    return match


def symbol_named(file: SourceFile, native: str, venue: Venue) -> str:
    """The unified symbol of the native one in a file's name."""
    symbol = unified(native, venue)
    if symbol is None:
        raise DataError(
            f"{file.name}: {native!r} is not a base with a quote currency that is known "
            f"({venue.market.currency}, {', '.join(QUOTES)}). Rename the file."
        )
    return symbol


def check_step(file: SourceFile, step: str, venue: Venue) -> timedelta:
    """The length of bars that a file's name states; another than the venue's is a `DataError`."""
    try:
        length = parse_duration(step)
    except ValueError:
        length = None
    if length != venue.market.bar_length:
        raise DataError(
            f"{file.name}: bars of {step}, but the bars of venue {venue.name} are of "
            f"{format_duration(venue.market.bar_length)}. Deliver those, or set market.bar_length."
        )
    return venue.market.bar_length
