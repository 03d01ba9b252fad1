"""Replicate's HTTP API."""
