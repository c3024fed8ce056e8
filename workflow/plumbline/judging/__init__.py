"""Judges of responses: their prompts, their confidence, and whether they can be trusted."""
