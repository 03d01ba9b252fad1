"""Measurements side by side: this predictor, the bare SDK, a naive predictor, LiteLLM, FastAPI."""
