from quant_assets.quant.moments.clustering import *
from quant_assets.quant.moments.covariance import *
from quant_assets.quant.moments.expected import *
from quant_assets.quant.moments.missing import *
from quant_assets.quant.moments.views import *
