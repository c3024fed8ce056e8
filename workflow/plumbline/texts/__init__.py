"""What a text says, whoever wrote it: when two are the same, and which facts one states."""
