"""Immutable, content-addressed snapshots on disk, their manifests, and the catalogue over them."""
