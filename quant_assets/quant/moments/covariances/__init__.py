"""Covariance estimators, one file each, found by their names."""
