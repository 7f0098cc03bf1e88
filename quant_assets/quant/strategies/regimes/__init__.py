"""Regimes: one causal classifier of markets per file; found by discovery."""
