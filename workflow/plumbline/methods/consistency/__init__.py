"""Preferences by self-consistency: what a model mostly answers over what it rarely does.

After Prasad et al. 2024 (ScPO); self-consistency itself is Wang et al. 2023.
"""
