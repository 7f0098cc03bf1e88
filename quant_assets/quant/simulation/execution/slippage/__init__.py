"""What a fill costs against the price it refers to: one file per slippage model."""
