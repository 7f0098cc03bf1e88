"""Market data as arrays: panels, data windows, calendars. No disk, no network, no clock."""
