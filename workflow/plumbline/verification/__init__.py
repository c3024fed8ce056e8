"""Verification: for each claim a verdict, with the evidence that it rests on."""
