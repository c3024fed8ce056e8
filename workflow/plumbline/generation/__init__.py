"""Bulk generation: a file of requests and a checkpoint become a file of generations."""
