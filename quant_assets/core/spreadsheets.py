"""Tables for people's spreadsheet programs, in which no text is taken for a formula."""

import pandas as pd

_FORMULA = r"^('*[=+\-@\t\r])"
_QUOTED = r"^'('*[=+\-@\t\r])"


def spreadsheet_csv(frame: pd.DataFrame) -> str:
    """CSV (RFC 4180) of a frame without its index; what could be a formula gets a `'` in front.

    Programs run cells that begin with `=`, `+`, `-`, `@`, a tab or a carriage return. Numbers stay
    as they are, names of columns are treated like texts. Such quotes that are there
    already get one more, so that `plain_texts` gives every text back.
    """
    safe = frame.rename(columns=lambda name: _plain(pd.Series([str(name)])).iloc[0])
    texts = [n for n in safe.columns if pd.api.types.is_string_dtype(safe[n].dtype)]
    return safe.assign(**{name: _plain(safe[name]) for name in texts}).to_csv(
        index=False, lineterminator="\r\n"
    )


def _plain(texts: pd.Series) -> pd.Series:
    return texts.str.replace(_FORMULA, r"'\1", regex=True)


def plain_texts(texts: pd.Series) -> pd.Series:
    """Texts of such a CSV as they were."""
    return texts.str.replace(_QUOTED, r"\1", regex=True)


def plain_names(names: pd.Index) -> list[str]:
    """Names of the columns of such a CSV as they were."""
    return [str(name) for name in plain_texts(pd.Series([str(name) for name in names]))]
