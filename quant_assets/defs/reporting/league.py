"""The league over all venues; it has no partitions."""

import dagster as dg

from quant_assets.orchestration.cells import KIND_TAG
from quant_assets.orchestration.league import league_code_version, refresh_league
from quant_assets.orchestration.workspace import current_workspace


@dg.asset(
    group_name="reporting",
    deps=[dg.AssetDep("tournament", partition_mapping=dg.AllPartitionMapping())],
    tags={KIND_TAG: "venue"},
    metadata={"contract": "League"},
    code_version=league_code_version(),
)
def league(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """All entrants of all venues by net Sharpe ratio; grain: venue x entrant."""
    manifest = refresh_league(current_workspace(), context.run_id)
    facts = {"dagster/row_count": manifest.rows, "sha256": manifest.sha256, "bytes": manifest.size}
    return dg.MaterializeResult(metadata=facts)
