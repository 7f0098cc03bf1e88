"""Strategies of the user's folder; without a folder there is nothing here."""

from quant_assets.orchestration.workspace import current_workspace

strategies, checks = [], []
if current_workspace().settings.strategies_folder is not None:
    from quant_assets.orchestration.factories import strategy_assets, strategy_checks

    strategies = strategy_assets(current_workspace())
    checks = strategy_checks(current_workspace())
