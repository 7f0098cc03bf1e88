"""Execution and accounting: decided weights in; fills, trades, holdings and equity out."""
