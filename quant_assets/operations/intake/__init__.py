"""From what was dropped or pulled to receipts and chunks in a venue's source store."""
