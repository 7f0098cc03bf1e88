"""The declared graph, read from the `defs` package: assets, specs, contracts, order."""

from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module

import dagster as dg

from quant_assets.contracts.base import Contract
from quant_assets.core.errors import ConfigError
from quant_assets.orchestration.cells import CellSpec, cell_spec

DEFINITIONS = "quant_assets.defs"


@cache
def window_assets() -> tuple[dg.AssetsDefinition, ...]:
    """Every asset of `quant_assets.defs` that has a cell spec, found by walking the package."""
    found = dg.load_assets_from_package_module(import_module(DEFINITIONS))
    assets = [a for a in found if isinstance(a, dg.AssetsDefinition) and cell_spec(a) is not None]
    return tuple(sorted(assets, key=lambda asset: min(k.to_user_string() for k in asset.keys)))


@cache
def ordered_specs() -> tuple[CellSpec, ...]:
    """Specs in dependency order; ties by name."""
    specs = {spec.main: spec for asset in window_assets() if (spec := cell_spec(asset))}
    owner = {out: spec.main for spec in specs.values() for out in spec.outs}
    graph = {
        name: sorted({owner[read] for read in spec.reads} - {name})
        for name, spec in sorted(specs.items())
    }
    return tuple(specs[name] for name in TopologicalSorter(graph).static_order())


def spec_of(asset: str) -> CellSpec:
    """The spec that makes `asset`; an unknown name lists the known ones."""
    for spec in ordered_specs():
        if asset in spec.outs:
            return spec
    known = sorted(out for spec in ordered_specs() for out in spec.outs)
    raise ConfigError(f"no asset named {asset!r}; known: {', '.join(known)}")


def contract_of(asset: str) -> type[Contract]:
    """The contract of one asset."""
    return spec_of(asset).outs[asset]
