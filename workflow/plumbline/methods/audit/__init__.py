"""An audit: what tuning, done anywhere, did to what a base model knows.

Nothing is trained. Ours; SliCK's categories are Gekhman et al. 2024.
"""
