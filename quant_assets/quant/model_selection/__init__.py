"""Splits of time into training and test rows, and the labels that they must not leak."""
