"""One output element written out by hand."""
