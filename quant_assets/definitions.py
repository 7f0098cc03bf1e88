"""Dagster's door: everything under `quant_assets.defs`, and the resources."""

import dagster as dg

import quant_assets.defs
from quant_assets.orchestration.resources import resources

defs = dg.Definitions.merge(
    dg.load_definitions_from_package_module(quant_assets.defs),
    dg.Definitions(resources=resources(), executor=dg.in_process_executor),
)
