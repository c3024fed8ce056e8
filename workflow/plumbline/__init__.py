"""The library the pipeline's programs share. It knows nothing of Snakemake.

Imports only go down: methods, evaluation and report stand on generation, training, data,
models and lineage; those stand on records, config, sources, files and digest.
"""
