"""Resources that every run of this code location gets."""

from quant_assets.orchestration.cells import IO_MANAGER
from quant_assets.orchestration.io_managers import SnapshotIOManager


def resources() -> dict[str, object]:
    """Resource instances by key."""
    return {IO_MANAGER: SnapshotIOManager()}
