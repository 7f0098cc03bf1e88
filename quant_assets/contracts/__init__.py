"""One pandera model per handoff; the only home of column names.

Frames are long: a RangeIndex, sorted and unique by the contract's `key`. Every `ts`,
`available_at` and `decided_at` is `datetime64[us, UTC]`; `symbol` is `str`.
"""
