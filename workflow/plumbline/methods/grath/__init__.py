"""GRATH: a model writes right and wrong answers and is trained on them (Chen et al. 2024)."""
