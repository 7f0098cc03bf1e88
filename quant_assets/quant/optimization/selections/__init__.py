"""Which streams an entrant chooses from, one file each."""
