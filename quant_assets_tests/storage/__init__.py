"""Tests of the store and of the tools that verify it."""
