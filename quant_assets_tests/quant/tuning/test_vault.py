import numpy as np
import pytest

from quant_assets.core.errors import ConfigError, DataError
from quant_assets.quant.tuning.vault import seal
from quant_assets_tests.quant.tuning.samples import market


class Pages:
    """A log in memory."""

    def __init__(self, *, fails=False):
        self.kept, self.fails = [], fails

    def openings(self, vault):
        return [one for one in self.kept if one.vault == vault]

    def add(self, opening):
        if self.fails:
            raise OSError("disk full")
        self.kept.append(opening)
        return len(self.openings(opening.vault))


def test_last_months_are_not_among_the_visible_bars():
    bars = market(500)  # 2020-01-01 to 2021-05-14
    visible, vault = seal(bars, Pages(), months=3)
    assert vault.first == np.datetime64("2021-02-01")
    assert visible.ts[-1] == np.datetime64("2021-01-31")
    assert len(visible) == vault.n_visible == 397
    for array in (*visible.columns().values(), visible.ts, visible.available_at):
        assert array.base is None or len(array.base) == 397  # nothing leads to the sealed rows


def test_data_that_end_with_a_month_seal_whole_months():
    bars = market(31 + 29 + 31)  # January to March 2020
    visible, vault = seal(bars, Pages(), months=1)
    assert vault.first == np.datetime64("2020-03-01")
    assert visible.ts[-1] == np.datetime64("2020-02-29")


def test_every_opening_is_logged_and_counted():
    log = Pages()
    bars = market(500)
    _, vault = seal(bars, log, months=3)
    assert vault.opened == 0
    first = vault.open(strategy="abc", reason="final test")
    assert first.n_looks == 1
    assert len(first.bars) == 500
    assert first.first == 397
    assert vault.open(strategy="abd", reason="another parameter").n_looks == 2
    assert [(one.strategy, one.reason) for one in vault.openings] == [
        ("abc", "final test"),
        ("abd", "another parameter"),
    ]
    assert vault.openings[0].sealed_from.startswith("2021-02-01")


def test_later_bars_or_other_months_make_no_new_vault():
    log = Pages()
    seal(market(500), log, months=3)[1].open(strategy="a", reason="test")
    _, later = seal(market(530), log, months=2)
    assert later.opened == 1
    _, other = seal(market(500, symbols=("B",)), log, months=3)
    assert other.opened == 0


def test_level_makes_up_for_all_looks():
    _, vault = seal(market(500), Pages(), months=3)
    levels = [vault.open(strategy="a", reason="test").level(0.05) for _ in range(5)]
    assert levels[0] == pytest.approx(0.05)
    assert 1.0 - (1.0 - levels[4]) ** 5 == pytest.approx(0.05)


def test_nothing_is_shown_when_the_look_cannot_be_logged():
    _, vault = seal(market(500), Pages(fails=True), months=3)
    with pytest.raises(OSError, match="disk full"):
        vault.open(strategy="a", reason="test")


def test_opening_needs_a_strategy_and_a_reason():
    _, vault = seal(market(500), Pages(), months=3)
    for words in ({"strategy": "a", "reason": " "}, {"strategy": "", "reason": "test"}):
        with pytest.raises(ConfigError, match="reason"):
            vault.open(**words)
    assert vault.opened == 0


def test_sealing_everything_is_refused():
    with pytest.raises(DataError, match="leave"):
        seal(market(60), Pages(), months=12)
    with pytest.raises(ConfigError, match="months"):
        seal(market(60), Pages(), months=0)
