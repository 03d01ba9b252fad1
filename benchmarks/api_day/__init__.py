"""A day of an installation of many processes, in minutes: load, deploys, deaths, and costs."""
