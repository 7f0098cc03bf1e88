"""`quant-assets schema`: JSON schemas of the YAML files, for editors."""

import json

import click


@click.command("schema")
@click.argument("kind", type=click.Choice(["venue", "settings"]))
def command(kind: str) -> None:
    """Print the JSON schema of a venue file or of settings.yaml.

    \b
    Examples:
      quant-assets schema venue > venue.schema.json
      quant-assets schema settings
    """
    from quant_assets.core.config import Settings
    from quant_assets.core.venues import Venue

    model = {"venue": Venue, "settings": Settings}[kind]
    click.echo(json.dumps(model.model_json_schema(), indent=1, sort_keys=True))
