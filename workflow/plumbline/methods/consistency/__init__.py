"""Preferences by self-consistency (Wang et al. 2023): what a model answers mostly, over the rest."""
