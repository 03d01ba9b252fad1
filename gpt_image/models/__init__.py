"""What each image model can do: a table of data, and the checks that read it."""
