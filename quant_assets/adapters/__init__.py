"""Ports to the outside: data providers and the venues that name them."""
