"""Declarations of the `discovery` group."""
