"""Layout `vintages_attachments`: what lies beside the quotes in their archives."""

import re
from collections.abc import Iterator
from typing import ClassVar

from quant_assets.adapters.files.csv_rows import first_rows, header
from quant_assets.adapters.layouts.base import FileLayout, Raw, SourceFile
from quant_assets.adapters.tabular.file_names import day_in
from quant_assets.adapters.tabular.frames import remarks
from quant_assets.core.venues import Venue

_REPORTS = ("symbol", "end_date", "amend", "period_focus", "fiscal_year", "doc_type")
_TICKER = re.compile(r"[A-Z][A-Z0-9.^-]{0,9}")


class VintagesAttachments(FileLayout):
    """Company reports and the list of names: known, and not read, for they are no market data."""

    name: ClassVar[str] = "vintages_attachments"
    expects: ClassVar[str] = "reports.csv or symbols.txt beside the prices.csv of an archive"

    def recognise(self, file: SourceFile) -> float:
        """By the columns of the reports, or lines of ticker, tab and name, in a dated archive."""
        if "/" not in file.name or day_in(file.name) is None:
            return 0.0
        return 1.0 if header(file)[: len(_REPORTS)] == _REPORTS or _is_list(file) else 0.0

    def read(self, file: SourceFile, venue: Venue) -> Iterator[Raw]:
        """A note that it was left out."""
        del venue
        yield remarks("bars", [f"{file.name}: no market data, was not read"])

    def columns(self) -> tuple[str, ...]:
        """The first columns of the reports."""
        return _REPORTS


def _is_list(file: SourceFile) -> bool:
    lines = first_rows(file, 5, delimiter="\t")
    return bool(lines) and all(len(c) == 2 and _TICKER.fullmatch(c[0]) for c in lines)
