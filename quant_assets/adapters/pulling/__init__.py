"""Pulling from live sources: what is asked, what a page is, and which ranges it confirms."""
