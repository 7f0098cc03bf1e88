"""What strategies hold, for the venues that offer it to their optimizers as streams."""

from quant_assets.orchestration.strategy_roles import stance_assets
from quant_assets.orchestration.workspace import current_workspace

stances = stance_assets(current_workspace())
