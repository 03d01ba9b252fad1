"""What is wrong with one received image, where that is not this machine's fault."""


class Unusable(Exception):
    """`str()` follows "image 1" in a sentence, and never holds a URL, since it may be signed."""
