"""The quantitative library: arrays and frames in, arrays and frames out. It does not know Dagster."""
