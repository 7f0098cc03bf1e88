import pytest

from quant_assets.cli.options import split_windows
from quant_assets.core.errors import ConfigError


def test_span_of_windows_has_both_ends():
    assert split_windows(None) == (None, None)
    assert split_windows("2024-01-01") == ("2024-01-01", "2024-01-01")
    assert split_windows("2024-01-01...2024-03-01") == ("2024-01-01", "2024-03-01")


@pytest.mark.parametrize("text", ["x", "2024-01", "2024-01-01...z", "2024-13-01"])
def test_key_that_is_no_day_is_refused_by_name(text: str):
    wrong = text.rpartition("...")[2]
    with pytest.raises(ConfigError, match=f"'{wrong}' is no window; keys are days, YYYY-MM-DD"):
        split_windows(text)


@pytest.mark.parametrize("text", ["...2024-01-01", "2024-01-01..."])
def test_span_with_an_open_end_says_how_it_is_written(text: str):
    with pytest.raises(ConfigError, match="write FIRST...LAST"):
        split_windows(text)
