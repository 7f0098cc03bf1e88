from quant_assets.quant.strategies.regimes.base import *
from quant_assets.quant.strategies.regimes.hidden_markov import *
from quant_assets.quant.strategies.regimes.moving_average_trend import *
from quant_assets.quant.strategies.regimes.volatility_quantile import *
