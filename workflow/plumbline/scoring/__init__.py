"""Log-probabilities of given answers, computed with a model in memory."""
