"""Services that run beside the graph: taking in data, and later deployments and alerts."""
