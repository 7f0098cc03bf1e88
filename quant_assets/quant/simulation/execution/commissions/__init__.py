"""What the broker or the venue takes from a fill: one file per commission schedule."""
