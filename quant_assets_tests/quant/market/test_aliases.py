"""A ticker means what it meant on the day."""

from datetime import date

import pytest

from quant_assets.core.errors import DataError
from quant_assets.quant.market.aliases import Alias, instrument_on

ALIASES = (
    Alias("META", "meta-platforms", date(2022, 6, 9)),
    Alias("FB", "meta-platforms", date(2012, 5, 18), date(2022, 6, 8)),
    Alias("META", "roundhill-etf", date(2021, 6, 30), date(2022, 1, 30)),
)


@pytest.mark.parametrize(
    ("ticker", "day", "instrument"),
    [
        ("FB", date(2012, 5, 18), "meta-platforms"),
        ("FB", date(2022, 6, 8), "meta-platforms"),
        ("META", date(2022, 6, 9), "meta-platforms"),
        ("META", date(2021, 7, 1), "roundhill-etf"),
        ("NA", date(2020, 1, 1), "NA"),
    ],
)
def test_instrument_on_follows_renames_and_reuse(ticker: str, day: date, instrument: str) -> None:
    assert instrument_on(ALIASES, ticker, day) == instrument


def test_instrument_on_a_day_without_alias_lists_the_known_ones() -> None:
    words = "META means no instrument on 2022-03-01; its aliases: roundhill-etf 2021-06-30 to 2022-"
    with pytest.raises(DataError, match=words):
        instrument_on(ALIASES, "META", date(2022, 3, 1))


def test_instrument_on_overlapping_or_reversed_aliases_are_refused() -> None:
    twice = (*ALIASES, Alias("FB", "another", date(2022, 6, 8)))
    with pytest.raises(DataError, match=r"aliases of FB overlap: .*before 2022-06-08"):
        instrument_on(twice, "FB", date(2020, 1, 1))
    reversed_ = (Alias("X", "x", date(2020, 1, 2), date(2020, 1, 1)),)
    with pytest.raises(DataError, match="alias of X: x 2020-01-02 to 2020-01-01 ends before it be"):
        instrument_on(reversed_, "X", date(2020, 1, 1))
