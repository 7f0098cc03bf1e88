"""Moments of returns: covariance, expected returns, distances and clusters."""
