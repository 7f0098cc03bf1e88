"""JSON Schema of strategy files, made of the plug-ins that are found: for editors."""

from collections.abc import Mapping
from typing import Any

from quant_assets.quant.indicators.base import catalogue
from quant_assets.quant.risk.combined import risk_rules
from quant_assets.quant.sizing.entry.base import entry_sizers
from quant_assets.quant.strategies.config import StrategyFile
from quant_assets.quant.strategies.library import library_strategies
from quant_assets.quant.strategies.plugin_settings import (
    LONG_NAMES,
    Json,
    plugin_schema,
    typed_schema,
)
from quant_assets.quant.strategies.regimes.base import regimes
from quant_assets.quant.strategies.rules.base import rules

__all__ = ["strategy_schema"]


def strategy_schema(execution: Mapping[str, Mapping[str, type]] | None = None) -> dict[str, Any]:
    """JSON Schema (2020-12) of a strategy file with every plug-in and its parameters.

    execution : plug-ins by setting (`fill_model`, …), which the simulation knows; without it any
        name is allowed there.
    """
    schema: Json = StrategyFile.model_json_schema()
    defined = schema["$defs"]
    defined["Indicator"] = _indicators()
    defined["Condition"] = _conditions()
    defined["Risk"] = plugin_schema(risk_rules())
    defined["Sizing"] = typed_schema(entry_sizers())
    parts = defined["Components"]["properties"]
    parts["indicators"] = {"type": "array", "items": {"$ref": "#/$defs/Indicator"}}
    parts["risk"] = {"type": "array", "items": {"$ref": "#/$defs/Risk"}}
    universe = defined["Backtest"]["properties"]["universe"]
    universe["anyOf"] = [*universe["anyOf"][0]["oneOf"], *universe["anyOf"][1:]]
    conditions = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Condition"}}
    signals = defined["SignalRules"]["properties"]
    signals.update(dict.fromkeys(signals, conditions))
    signals["strategy"] = plugin_schema(library_strategies())
    labels = sorted({label for kind in regimes().values() for label in kind.labels})
    regime = defined["RegimeSection"]["properties"]
    regime["classifier"] = plugin_schema(regimes())
    regime["allowed"]["items"] = {"enum": labels}
    for setting, kinds in (execution or {}).items():
        defined["Execution"]["properties"][setting] = plugin_schema(kinds)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _conditions() -> Json:
    """A rule, or several joined by `all`, `any` and `not`."""
    own: Json = {"$ref": "#/$defs/Condition"}
    several: Json = {"type": "array", "minItems": 1, "items": own}
    joined = [
        {
            "type": "object",
            "properties": {word: inside},
            "required": [word],
            "additionalProperties": False,
        }
        for word, inside in (("all", several), ("any", several), ("not", own))
    ]
    known = _timed(plugin_schema(rules()))
    return {"anyOf": [*known["anyOf"], *joined]}


def _timed(schema: Json) -> Json:
    """Plug-ins that may be asked of a longer timeframe."""
    for form in schema["anyOf"][1:]:
        (entry,) = form["properties"].values()
        entry["anyOf"][0].setdefault("properties", {})["timeframe"] = {
            "type": "string",
            "pattern": "^[1-9][0-9]*[smhd]$",
            "description": "bars of a longer timeframe",
        }
    return schema


def _indicators() -> Json:
    """Indicators, whose one-letter parameters may be written by their long names as well."""
    schema = _timed(plugin_schema(catalogue()))
    for form in schema["anyOf"][1:]:
        (entry,) = form["properties"].values()
        parameters = entry["anyOf"][0]["properties"]
        for long, short in LONG_NAMES.items():
            if short in parameters and long not in parameters:
                parameters[long] = parameters[short]
    return schema
