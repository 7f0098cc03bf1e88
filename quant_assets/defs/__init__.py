"""Declarations only: one folder per group, found by walking. Logic lives in the library."""
