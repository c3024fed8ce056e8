"""The study over several seeds: the data of its pieces, and the verdicts by docs/study/plan.md."""
