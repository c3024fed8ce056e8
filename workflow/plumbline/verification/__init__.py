"""Verification: claims in, verdicts out, each with the evidence it rests on."""
