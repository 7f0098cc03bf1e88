"""One sample market for all tests of this folder."""

import pandas as pd
import pytest

from quant_assets.reporting.inputs import AssetProvenance, Provenance, TearSheetInputs
from quant_assets_tests.reporting.samples import random_prices, sample_frames, sample_venue

ENTRANTS = {"equal_risk": -1.0, "hrp": 0.0, "min_variance": -2.0}


@pytest.fixture(scope="session")
def _frames() -> dict[str, pd.DataFrame]:
    return sample_frames(random_prices(), ENTRANTS)


@pytest.fixture
def frames(_frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Fresh copies of the sample frames: three entrants, five symbols, 14 windows."""
    return {name: frame.copy() for name, frame in _frames.items()}


@pytest.fixture
def inputs(frames: dict[str, pd.DataFrame]) -> TearSheetInputs:
    """A complete tear sheet."""
    venue = sample_venue()
    return TearSheetInputs(
        venue=venue,
        mode="carry",
        stamps=tuple(venue.stamps()),
        provenance=Provenance((AssetProvenance("equity", "ab" * 32, 12, "cd" * 32),), "ef" * 32),
        **frames,
    )
