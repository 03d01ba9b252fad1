"""OpenAI's Images API, as OpenAI and AI/ML API serve it."""
