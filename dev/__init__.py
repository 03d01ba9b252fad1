"""Everything to run the predictor and its sandbox on this machine, without Docker or a key."""
