"""Strategy files of the user."""
