"""What layouts of tables share: headers, rows of a venue, local time, names of files."""
