"""Cancels of a strategy are decisions, and the leak check compares them."""

import numpy as np
import pytest

from quant_assets.quant.leaks.bar_form import bar_by_bar
from quant_assets.quant.strategies.base import BarStrategy
from quant_assets.quant.strategies.orders import Cancel, Order
from quant_assets_tests.quant.simulation.execution.hand_runs import flat_bars


class CancelsOften(BarStrategy):
    """Cancels all of A on every bar, everything on the third."""

    name = "cancels_often"

    def on_bar(self, window, account):
        told = [Cancel(symbol="A"), Order(symbol="B", quantity=2.0)]
        return [*told, Cancel()] if len(window) == 3 else told


@pytest.fixture
def found():
    bars = flat_bars(4, symbols=2)
    return bar_by_bar(CancelsOften(), bars, bars.available_at)


def test_cancels_are_compared_where_they_look(found):
    cancels = found["on_bar cancel all of tag None, group None"]
    assert cancels.tolist() == [[1.0, 0.0], [1.0, 0.0], [2.0, 1.0], [1.0, 0.0]]
    np.testing.assert_array_equal(found["on_bar order quantity"], [[0.0, 2.0]] * 4)
