"""From the tidy tables of a run to figures, one self-contained page, and a headline in words."""
