"""Dagster-aware machinery: partitions, the window walker, the IO manager, planning, launching."""

import warnings

import dagster as dg

# The grid is made of classes that Dagster 1.13 still calls beta or preview; they are pinned and
# tested here, so the warning at every import tells users nothing.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
