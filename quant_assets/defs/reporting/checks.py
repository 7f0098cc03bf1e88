"""The rows of `check_results` and `model_leaks` as Dagster asset checks."""

import dagster as dg

from quant_assets.orchestration.checks import result_check, trust_check

gaps = result_check("bars", "gap_share", "Share of gap rows among the window's bars.")
identity = result_check("equity", "accounting_identity", "Cash + positions = equity at every bar.")
limits = result_check("portfolio_weights", "stated_limits", "No weight breaks a stated limit.")
look_ahead = result_check(
    "alpha_features", "look_ahead", "No value changes when the future is removed or replaced."
)
regimes = result_check(
    "market_context", "look_ahead", "No regime changes when the future is removed or replaced."
)
quality = result_check(
    "quality",
    "quality_shortfall",
    "Share of expected bars that are missing or in doubt.",
    severity=dg.AssetCheckSeverity.WARN,
)
jumps = result_check(
    "doubts", "unexplained_jumps", "Jumps by the ratio of a split that no known event explains."
)

trusted_universe = trust_check("universe")
trusted_pool = trust_check("candidate_pool")
trusted_signals = trust_check("alpha_signals")
trusted_clusters = trust_check("candidate_clusters")
trusted_correlations = trust_check("correlations")
trusted_targets = trust_check("target_weights")
trusted_weights = trust_check("portfolio_weights")
trusted_accounts = trust_check("equity")
trusted_fills = trust_check("fills")
