"""Long responses: drawn from a model, scored by their claims, asked about, and paired."""
