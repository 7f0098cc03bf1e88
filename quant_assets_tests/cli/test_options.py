import re

import pytest

from quant_assets.cli.options import split_windows
from quant_assets.core.errors import ConfigError


@pytest.mark.parametrize("text", ["x", "2024-01", "2024-01-01...z", "2024-13-01"])
def test_key_that_is_no_day_is_refused_by_name(text: str):
    wrong = re.escape(text.rpartition("...")[2])
    with pytest.raises(ConfigError, match=f"'{wrong}' is no window; keys are days, YYYY-MM-DD"):
        split_windows(text)
