from quant_assets.quant.tuning.searches.base import *
from quant_assets.quant.tuning.searches.grid import *
from quant_assets.quant.tuning.searches.optuna_tpe import *
from quant_assets.quant.tuning.searches.random_draws import *
from quant_assets.quant.tuning.searches.sobol import *
