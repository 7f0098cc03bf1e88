"""K folds for labels that overlap, in scikit-learn's `split` protocol."""

from quant_assets.quant.model_selection.purging import PurgedFolds

__all__ = ["PurgedKFold"]


class PurgedKFold(PurgedFolds):
    """Each fold is the test once; training rows may come from both sides, purged of the test.

    With `purge=0` and `embargo=0` the same as scikit-learn's `KFold`. See `PurgedFolds` for the
    parameters. Lopez de Prado (2018), 7.4.
    """
