"""Row checks: what a delivery says, row by row, against what a market can do. One file a dataset.

`check.check_rows` is the door, `base.RowCheck` says what a dataset must know of itself.
"""
