"""Declarations of the `optimization` group."""
