"""Accounts of strategies on longer bars, at the closes of the venues in which they take part."""

from quant_assets.orchestration.strategy_roles import mark_assets
from quant_assets.orchestration.workspace import current_workspace

marks = mark_assets(current_workspace())
