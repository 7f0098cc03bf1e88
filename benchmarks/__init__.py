"""Measurements that the documents quote: `python -m benchmarks`, one file per benchmark.

A benchmark is a module with `TITLE`, `TARGET` (what the project promises) and
`measure(folder, *, quick) -> rows`; it is found by walking this package.
"""
