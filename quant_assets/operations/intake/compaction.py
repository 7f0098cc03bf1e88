"""After a delivery: where many small ones have come together, their chunks become one file."""

import warnings

from quant_assets.core.errors import IntegrityError
from quant_assets.storage.sources import Receipt, SourceStore


def tidy_up(store: SourceStore, receipt: Receipt) -> None:
    """Pack the chunks of the store when the delivery made them many. The caller holds the lock.

    A chunk that was damaged keeps the store from being packed, which is a warning and no error:
    the delivery itself is complete.
    """
    if not store.is_crowded(receipt):
        return
    try:
        store.compact()
    except IntegrityError as error:
        warnings.warn(f"{store.venue}: chunks were not packed: {error}", stacklevel=2)
