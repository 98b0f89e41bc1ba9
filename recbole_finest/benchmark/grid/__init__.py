"""The axes of a grid, the settings of its points, and all that is wrong with them."""
