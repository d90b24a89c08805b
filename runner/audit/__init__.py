"""What the values of a file say about how they were made, alone or held against a declaration."""
