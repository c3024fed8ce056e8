"""The configuration: one module a section, `experiment` holds the whole."""
