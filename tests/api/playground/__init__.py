"""The page at `/`: what it is served, and what it does in a real browser."""
