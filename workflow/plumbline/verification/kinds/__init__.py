"""The kinds of verifiers and how they are built. Their settings are in `config.verification`.

To add a kind, add a section there and a module here with `build(settings, facts, means)`, which returns
an object whose `verify` turns a list of claims into as many verdicts, in order. Heavy packages are
imported inside it, so that no kind needs the packages of another.
"""

from plumbline.verification.kinds import endpoint, retrieval, table

BUILDERS = {"table": table.build, "retrieval": retrieval.build, "endpoint": endpoint.build}
