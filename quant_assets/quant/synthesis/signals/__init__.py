"""Plug-in folder: one file per signal, found by discovery; base class in `base.py`."""
