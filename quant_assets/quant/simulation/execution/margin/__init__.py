"""Buying power and liquidation: one file per kind of account, found by walking."""
