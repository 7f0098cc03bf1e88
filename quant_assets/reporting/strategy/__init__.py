"""The report of one run of a strategy: one offline HTML file."""
