"""Comparing texts: when two are the same, and which facts a text states."""
