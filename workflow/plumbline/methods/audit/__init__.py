"""An audit: what tuning done anywhere did to a base model's knowledge.

Nothing is trained. Ours; SliCK's categories are Gekhman et al. 2024.
"""
