from quant_assets.quant.tuning.bench import *
from quant_assets.quant.tuning.out_of_sample import *
from quant_assets.quant.tuning.resampling import *
from quant_assets.quant.tuning.robustness import *
from quant_assets.quant.tuning.space import *
from quant_assets.quant.tuning.study import *
