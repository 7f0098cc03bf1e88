"""Declarations of the `ingestion` group."""
