"""SliCK: what a model knows, and what new knowledge does to it (Gekhman et al. 2024)."""
