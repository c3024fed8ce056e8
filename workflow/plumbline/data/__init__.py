"""Adapters that turn sources of facts and questions into rows of `plumbline.records`."""
