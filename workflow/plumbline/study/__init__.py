"""The study over several seeds: what its pieces leave, and what they decide by docs/study/plan.md."""
