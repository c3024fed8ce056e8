"""What each embedded fact table is made of: one function a relation, by family."""
