"""How much of each held name: one file per sizer, found by walking."""
