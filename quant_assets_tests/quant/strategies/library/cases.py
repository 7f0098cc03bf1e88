"""Which bars and parameters the golden trades of each strategy are made with."""

from quant_assets.quant.simulation.execution.defaults import frictionless
from quant_assets.quant.strategies import make_strategy
from quant_assets_tests.quant.strategies.library import real_bars

BY_WEEK = (
    "adx_trend",
    "donchian_breakout",
    "gap_fade",
    "ichimoku_trend",
    "internal_bar_strength",
    "keltner_squeeze",
    "parabolic_sar_trend",
    "supertrend_trend",
    "volatility_breakout",
)
BY_HOUR = ("funding_carry", "liquidation_reversion", "opening_range")
PARAMETERS = {"gap_fade": {"gap": 0.02}}
ROOM = 100.0  # so that nothing is cut to what is left of the equity


def case(name):
    """Strategy and bars."""
    return make_strategy(name, PARAMETERS.get(name)), bars_of(name)


def bars_of(name):
    if name in BY_WEEK:
        return real_bars.weeks()
    if name in BY_HOUR:
        return real_bars.perpetuals()
    if name == "basis":
        return real_bars.perpetuals(spot=True)
    if name == "pairs_cointegration":
        return real_bars.stocks().select(["CVX", "XOM"])
    if name == "kalman_pairs":
        return real_bars.stocks().select(["KO", "PEP"])
    return real_bars.stocks()


def without_costs(bars):
    """Next open, no costs, and credit enough."""
    terms = frictionless(bars)
    return terms._replace(margin=terms.margin._replace(leverage=ROOM))
