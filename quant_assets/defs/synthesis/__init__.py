"""Declarations of the `synthesis` group."""
