"""Where models and data come from, and how they get here."""
