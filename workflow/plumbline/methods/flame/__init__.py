"""FLAME: factuality-aware alignment (Lin et al. 2024), and FactTune's pairs (Tian et al. 2024)."""
