"""Grids of models, data sets, methods and perturbations, run as content-addressed cells."""
