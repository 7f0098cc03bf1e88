"""Which rate of funding a bar shows."""

import numpy as np
import pandas as pd

from quant_assets.quant.market.funding_rates import with_funding_rate
from quant_assets.quant.strategies.tester import hand_made_bars


def test_funding_rate_of_a_bar_is_the_last_one_that_was_known():
    panel = hand_made_bars({"P": [1.0, 1.0, 1.0, 1.0], "S": [1.0, 1.0, 1.0, 1.0]})
    days = pd.DatetimeIndex(panel.available_at, tz="UTC")
    funding = pd.DataFrame(
        {
            "ts": [days[0], days[1]],
            "available_at": [days[0], days[1] + pd.Timedelta(seconds=1)],
            "symbol": ["P", "P"],
            "rate": [0.01, -0.02],
        }
    )
    rates = with_funding_rate(panel, funding)["funding_rate"]
    assert rates[:, 0].tolist() == [0.01, 0.01, -0.02, -0.02]
    assert np.isnan(rates[:, 1]).all()
