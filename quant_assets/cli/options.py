"""Options that several commands share."""

from datetime import date

import click

from quant_assets.core.errors import ConfigError

venue_option = click.option("--venue", required=True, help="Venue name; see `quant-assets venues`.")
windows_option = click.option(
    "--windows",
    metavar="A...B",
    help="First and last window, YYYY-MM-DD...YYYY-MM-DD; default: all.",
)


def split_windows(text: str | None) -> tuple[str | None, str | None]:
    """`A...B` as (A, B); one key alone stands for itself; None for both ends open."""
    if text is None:
        return None, None
    first, dots, last = text.partition("...")
    if not first or (dots and not last):
        raise ConfigError(
            f"--windows {text!r}: write FIRST...LAST, for example 1995-01-01...1995-12-01"
        )
    for key in (first, last or first):
        try:
            date.fromisoformat(key)
        except ValueError:
            raise ConfigError(
                f"--windows {text!r}: {key!r} is no window; keys are days, YYYY-MM-DD"
            ) from None
    return first, last or first
