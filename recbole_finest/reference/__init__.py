"""Reference lists: what a trained model recommends for every training instance."""
