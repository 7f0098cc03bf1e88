"""`quant-assets schema`: JSON schemas of the YAML files, for editors."""

import json

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["venue", "strategy", "settings"]))
def command(kind: str) -> None:
    """Print the JSON schema of a venue file, of a strategy file, or of settings.yaml.

    \b
    Examples:
      quant-assets schema venue > venue.schema.json
      quant-assets schema strategy > strategy.schema.json
      quant-assets schema settings
    """
    if kind == "strategy":
        click.echo(json.dumps(_strategy(), indent=1, sort_keys=True))
        return
    from quant_assets.core.config import Settings
    from quant_assets.core.venues import Venue

    model = {"venue": Venue, "settings": Settings}[kind]
    click.echo(json.dumps(model.model_json_schema(), indent=1, sort_keys=True))


def _strategy() -> dict[str, object]:
    """With the plug-ins of the execution, which strategies themselves do not know."""
    from quant_assets.core.registry import discover
    from quant_assets.quant.simulation.execution.model import FAMILIES
    from quant_assets.quant.strategies.schema import strategy_schema

    kinds = {name: discover(family.package, family.base) for name, family in FAMILIES.items()}
    schema = strategy_schema(kinds)
    settings = schema["$defs"]["Execution"]["properties"]
    one = settings["slippage_model"]
    several = {"type": "array", "minItems": 1, "items": one}  # their slippages add up
    settings["slippage_model"] = {"anyOf": [one, several]}
    return schema
