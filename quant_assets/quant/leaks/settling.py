"""After how many bars an output no longer depends on where the data begin."""
