"""How numbers behave: the dtypes' constants, exact sums, float16, what lies between two outputs."""
