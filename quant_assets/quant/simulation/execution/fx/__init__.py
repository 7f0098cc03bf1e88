"""Prices in other currencies: one file per rule of conversion, found by walking."""
