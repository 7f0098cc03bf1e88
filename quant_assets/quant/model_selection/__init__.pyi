from quant_assets.quant.model_selection.combinatorial_purged_kfold import *
from quant_assets.quant.model_selection.effective_trials import *
from quant_assets.quant.model_selection.labels import *
from quant_assets.quant.model_selection.overfitting import *
from quant_assets.quant.model_selection.purged_kfold import *
from quant_assets.quant.model_selection.purged_walk_forward import *
from quant_assets.quant.model_selection.walk_forward import *
