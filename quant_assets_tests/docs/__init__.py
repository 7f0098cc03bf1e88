"""The documentation is tested: every code block runs, every link leads somewhere."""
