"""Uploads, inputs and outputs: their rows, their bytes, and their signed addresses."""
