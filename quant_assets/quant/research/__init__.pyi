from quant_assets.quant.research.bridge_checks import *
from quant_assets.quant.research.combinatorial_robustness import *
from quant_assets.quant.research.delay_grid import *
from quant_assets.quant.research.expectancy import *
from quant_assets.quant.research.feature_schema import *
from quant_assets.quant.research.interaction import *
from quant_assets.quant.research.outcomes import *
from quant_assets.quant.research.stratification import *
