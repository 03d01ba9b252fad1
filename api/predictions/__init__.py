"""The heart: what is accepted, who runs next and where, and how each prediction ends."""
