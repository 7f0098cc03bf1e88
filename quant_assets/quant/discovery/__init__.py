"""Screens of the candidate pool: one file per rule, found by walking this folder."""
