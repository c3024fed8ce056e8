"""Everything that a program needs around its actual work, on whatever machine it runs."""
