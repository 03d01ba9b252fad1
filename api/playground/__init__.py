"""The page at `/`: its files, and what it asks beyond Replicate's dialect."""
