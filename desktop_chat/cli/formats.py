"""The answer in another form, block by block: set for a terminal, or as HTML."""
