"""A venue with strategies in a folder of its own, computed from the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quant_assets_tests.cli.program import quant_assets


@dataclass(frozen=True)
class Room:
    """One venue, its strategies, and the grid of its windows.

    grid : its start and end, ISO dates.
    """

    folder: Path
    venue: str
    grid: tuple[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to find them."""
        start, end = self.grid
        return {
            "QUANT_ASSETS_VENUES_FOLDER": str(self.folder / "venues"),
            "QUANT_ASSETS_STRATEGIES_FOLDER": str(self.folder / "st"),
            "QUANT_ASSETS_VENUES": f'["{self.venue}"]',
            "QUANT_ASSETS_GRID__START": start,
            "QUANT_ASSETS_GRID__END": end,
        }

    def write(self, venue: str, strategies: Mapping[str, str]) -> None:
        """The files: the venue's text, and that of each strategy by name."""
        texts = {f"venues/{self.venue}": venue} | {f"st/{n}": t for n, t in strategies.items()}
        for name, text in texts.items():
            path = self.folder / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def computed(self, parts: Sequence[str]) -> Path:
        """A data root whose windows were computed range by range."""
        root = self.folder / "data"
        for windows in parts:
            command = ("backfill", "--venue", self.venue, "--windows", windows)
            done = quant_assets(root, *command, **self.environment)
            assert done.code == 0, done.stdout + done.stderr
        return root
