"""Other services' APIs, translated: shapes, names and errors; no state."""
