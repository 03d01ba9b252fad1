"""The API before Cog, side by side with bare Cog and with the LiteLLM proxy."""
