"""What every program does around its work, on whatever machine it runs."""
