"""Models as folders: imported, checked, loaded."""
