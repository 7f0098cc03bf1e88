"""One command per file; each file offers one click command named `command`."""
