"""Atomic claims: taking a long response apart into statements that can be checked one by one."""
