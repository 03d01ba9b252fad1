"""One module a change, named by its number; never edited once released."""
