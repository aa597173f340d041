"""How speed and rounding change over one parameter of a block, or over two."""
