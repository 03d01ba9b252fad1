"""Decoding and encoding of pixels, in processes apart from the predictor's."""
