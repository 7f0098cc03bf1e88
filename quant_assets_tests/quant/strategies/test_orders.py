"""Orders that no venue would take are refused by name."""

import numpy as np
import pytest

from quant_assets.core.errors import ConfigError
from quant_assets.quant.strategies.orders import Order

WRONG = [
    ({"quantity": "1"}, "quantity is '1'; it must be a number of units"),
    ({"quantity": np.inf}, "quantity is inf"),
    ({"quantity": np.nan}, "quantity is nan"),
    ({"quantity": 0}, "quantity is 0"),
    ({"kind": "Market"}, "kind 'Market' is not one of .*'market'"),
    ({"time_in_force": "GTC"}, "time_in_force 'GTC' is not one of .*'gtc'"),
    ({"kind": "limit", "limit": -5.0}, "limit is -5.0; it must be a number above 0"),
    ({"kind": "limit", "limit": np.nan}, "limit is nan; it must be a number above 0"),
    ({"kind": "limit", "limit": "5"}, "limit is '5'; it must be a number above 0"),
    ({"kind": "limit"}, "needs limit"),
    ({"kind": "stop", "stop": 0.0}, "stop is 0.0; it must be a number above 0"),
    ({"stop_loss": np.nan}, "stop_loss is nan; it must be a number above 0"),
    ({"take_profit": -1.0}, "take_profit is -1.0; it must be a number above 0"),
    ({"kind": "trailing_stop", "trail": -1.0}, "trail is -1.0; it must be a number above 0"),
    (
        {"kind": "trailing_stop", "trail": 2.0, "trail_fraction": True},
        "trail is 2.0; a fraction must be below 1",
    ),
    ({"time_in_force": "gtd", "bars": 0}, "bars is 0; it must be a whole number, at least 1"),
    ({"time_in_force": "gtd", "bars": 2.5}, "bars is 2.5; it must be a whole number"),
    ({"time_in_force": "gtd"}, "needs bars"),
]


@pytest.mark.parametrize(("given", "told"), WRONG)
def test_order_refuses_by_name(given: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Order(**{"symbol": "AAA", "quantity": 1.0, **given})  # type: ignore[arg-type]


def test_order_takes_numbers_of_numpy() -> None:
    order = Order(
        symbol="AAA",
        quantity=np.float64(-2.0),
        kind="stop_limit",
        limit=np.float32(9.0),  # type: ignore[arg-type]
        stop=np.int64(10),  # type: ignore[arg-type]
        time_in_force="gtd",
        bars=np.int64(3),  # type: ignore[arg-type]
    )
    assert (order.quantity, order.stop, order.bars) == (-2.0, 10, 3)
