"""Scores of a model as logits, and the probes that tell how they may be computed."""
