"""Groups of commands that say what was meant by a mistyped name."""

import difflib

import click


class SuggestingGroup(click.Group):
    """A group whose unknown commands get a suggestion."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a hint for a mistyped name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if "Did you mean" in error.format_message():  # newer versions of click know, too
                raise
            known = self.list_commands(ctx)
            close = difflib.get_close_matches(args[0], known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" There are {', '.join(known)}."
            raise click.UsageError(f"{error.format_message()}{hint}", ctx) from None
