"""A sweep: what varies, the plot, the heat map or the table of its points, and one point in words."""
