"""The samples must be what the stages deliver, or the other tests prove nothing."""

import pandas as pd

from quant_assets_tests.reporting.samples import FRAMES


def test_samples_satisfy_their_contracts(frames: dict[str, pd.DataFrame]) -> None:
    for name, frame in frames.items():
        FRAMES[name].check_frame(frame, where=name)
        assert len(frame), name
