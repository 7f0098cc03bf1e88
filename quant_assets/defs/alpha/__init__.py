"""Declarations of the `alpha` group."""
