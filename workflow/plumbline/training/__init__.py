"""Training: a file of examples, a parent checkpoint and a recipe become checkpoints."""
