"""Opening files that came from outside: limits, archives, streams, text tables, time stamps."""
