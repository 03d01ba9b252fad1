"""How large an image may be, on its way in and on its way out."""

MAX_PIXELS = 120_000_000
"""A phone camera's 108 megapixels pass; one such picture takes 0.5 GB decoded (4 bytes a pixel)."""

MAX_UPLOAD_BYTES = 50_000_000
"""Each upload stays below this: OpenAI says 50 MB, and the smaller reading of MB is safe."""

MAX_OUTPUT_BYTES = 64 << 20
"""More than any image of the API: 8.3 million pixels of four bytes each take half of it."""

TOO_LARGE = f"is larger than {MAX_OUTPUT_BYTES >> 20} MB"
"""What is said of an output image beyond that, to follow "image 1"."""
