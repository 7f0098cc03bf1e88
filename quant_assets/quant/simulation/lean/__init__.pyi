from quant_assets.quant.simulation.lean.account import *
from quant_assets.quant.simulation.lean.backtests import *
from quant_assets.quant.simulation.lean.crossing_sweep import *
from quant_assets.quant.simulation.lean.isolated import *
from quant_assets.quant.simulation.lean.single_runs import *
from quant_assets.quant.simulation.lean.suitability import *
from quant_assets.quant.simulation.lean.sweeps import *
from quant_assets.quant.simulation.lean.terms import *
