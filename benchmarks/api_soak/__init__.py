"""Thousands of predictions through the API under every fault, by callers who misbehave."""
