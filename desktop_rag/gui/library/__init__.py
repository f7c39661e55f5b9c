"""Documents and collections: what is there, what is being added, what can be removed."""
