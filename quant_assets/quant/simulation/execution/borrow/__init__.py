"""What short positions pay: one file per borrow model, found by walking."""
