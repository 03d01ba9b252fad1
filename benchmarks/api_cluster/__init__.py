"""Figures of several processes of the API on one Postgres and one store, all on this machine."""
