from quant_assets.quant.strategies.base import *
from quant_assets.quant.strategies.columns import *
from quant_assets.quant.strategies.crossing import *
from quant_assets.quant.strategies.orders import *
from quant_assets.quant.strategies.plan import *
from quant_assets.quant.strategies.signals import *
