"""When and how much of an order fills: one file per fill model, found by walking."""
