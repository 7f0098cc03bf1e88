"""Named rules: one condition, or a natural pair of them, per file; found by discovery."""
