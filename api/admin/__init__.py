"""What an operator does from the command line: `python -m api admin --help`."""
