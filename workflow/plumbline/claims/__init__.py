"""Atomic claims: splitting a long response into statements that can be checked one by one."""
