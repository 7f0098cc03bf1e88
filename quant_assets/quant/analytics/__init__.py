"""Performance of return series, and the metrics of windows and tournaments."""
