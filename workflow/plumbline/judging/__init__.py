"""Judges of responses: what they are asked, how sure they are, and whether they can be trusted."""
