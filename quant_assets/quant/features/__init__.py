"""Alpha features: one file per feature, found by walking this folder."""
