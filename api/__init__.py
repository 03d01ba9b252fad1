"""The API before Cog servers: what it has accepted it finishes, and never pays for twice."""
