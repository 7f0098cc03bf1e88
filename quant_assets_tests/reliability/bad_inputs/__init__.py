"""Forty-four bad inputs, a function each: `case_<row>_<input>`; its docstring is the outcome."""
