"""The kinds of verifiers: what each is built of. Their settings are in `config.verification`.

A further kind is a section there and a module here with `build(settings, facts, means)`, which
gives an object whose `verify` makes a list of claims into as many verdicts, in order. What is
heavy is imported inside of it, so that no kind needs the packages of another.
"""

from plumbline.verification.kinds import endpoint, retrieval, table

BUILDERS = {"table": table.build, "retrieval": retrieval.build, "endpoint": endpoint.build}
