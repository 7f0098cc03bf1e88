"""Shared set-up: every test process works on a data root of its own, never on the user's."""

import os
import tempfile

# Set before any test imports the definitions, because the grid and the venues are read there.
os.environ["QUANT_ASSETS_DATA_ROOT"] = tempfile.mkdtemp(prefix="quant-assets-tests-")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
for name in ("QUANT_ASSETS_VENUES_FOLDER", "QUANT_ASSETS_MODE", "DAGSTER_HOME"):
    os.environ.pop(name, None)
