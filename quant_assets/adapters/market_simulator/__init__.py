"""A seeded market of spot and perpetual bars with planted shocks, for `providers.simulated`."""
