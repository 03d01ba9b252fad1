"""Received image data to files of the promised format, in a fresh directory per prediction."""
