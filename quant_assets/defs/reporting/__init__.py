"""Declarations of the `reporting` group."""
