"""What perpetuals settle between longs and shorts: one file per funding model."""
