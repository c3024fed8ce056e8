"""What is computed from the configuration, before anything runs."""
