"""Estimators of expected returns, one file each, found by their names."""
