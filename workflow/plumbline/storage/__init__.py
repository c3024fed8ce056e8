"""Files, read and written completely or not at all."""
