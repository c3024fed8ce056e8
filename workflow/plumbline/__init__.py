"""The library that the pipeline's programs share. It does not depend on Snakemake.

Its packages form layers, and imports only go down: see docs/rules.md.
"""
