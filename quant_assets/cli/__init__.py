"""The command line: one file per command under `commands/`, found by walking."""
