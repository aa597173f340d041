"""The grammar: texts of branches and fields, read and refused; no torch."""
