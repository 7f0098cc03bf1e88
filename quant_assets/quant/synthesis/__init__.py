"""From features to alpha-biased return streams: signals, clusters, streams."""
