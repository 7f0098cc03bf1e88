"""Lots, ticks, least notional, multipliers: one file per rule, found by walking."""
