"""How large an entry is: one file per entry sizer, found by walking."""
