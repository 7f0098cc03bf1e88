"""The quantitative library: arrays and frames in, arrays and frames out; no Dagster."""
