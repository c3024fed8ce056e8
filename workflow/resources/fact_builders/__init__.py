"""The builders of the included fact tables: one function per relation, grouped by subject."""
