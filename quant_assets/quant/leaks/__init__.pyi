from quant_assets.quant.leaks.decisions import *
from quant_assets.quant.leaks.functions import *
from quant_assets.quant.leaks.models import *
from quant_assets.quant.leaks.plug_ins import *
from quant_assets.quant.leaks.report import *
from quant_assets.quant.leaks.samples import *
from quant_assets.quant.leaks.settings import *
from quant_assets.quant.leaks.strategies import *
