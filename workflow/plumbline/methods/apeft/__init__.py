"""APEFT: preferences about single facts beside those about whole responses (Yuan et al. 2024)."""
