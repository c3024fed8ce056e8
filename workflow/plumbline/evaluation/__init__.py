"""Measures of checkpoints with their uncertainty; everything is reported from one tidy table."""
