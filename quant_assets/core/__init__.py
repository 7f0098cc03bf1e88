"""The kernel: errors, settings, venues, windows, contexts, hashing, discovery."""
