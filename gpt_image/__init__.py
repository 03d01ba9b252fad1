"""What predict.py calls: one request to the OpenAI Images API, from inputs to files."""
