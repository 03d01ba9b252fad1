"""Predictors to compare with; Cog loads each from its file."""
