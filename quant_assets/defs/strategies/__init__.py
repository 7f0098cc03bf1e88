"""Declarations that are made from the user's strategy files."""
