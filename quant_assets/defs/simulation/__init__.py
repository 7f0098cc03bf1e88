"""Declarations of the `simulation` group."""
