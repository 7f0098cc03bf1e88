"""What `quant-assets strategy` is made of: strategies and bars by name, runs, stores, tables."""
