from quant_assets.quant.strategies.experimental.hurst_switch import *
from quant_assets.quant.strategies.experimental.kalman_pairs import *
from quant_assets.quant.strategies.experimental.liquidation_reversion import *
from quant_assets.quant.strategies.experimental.regime_switch import *
