from quant_assets.quant.simulation.execution.defaults import *
from quant_assets.quant.simulation.execution.terms import *
