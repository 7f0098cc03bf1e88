"""Constraints that hardened weights keep: one file per constraint, found by walking."""
