"""File layouts: how a publisher writes its rows. One file each, found by discovery."""
