"""Packaged venues, one YAML file each; `loader` reads them and those of the user."""
