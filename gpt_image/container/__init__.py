"""What the container's health check and stop hook run; needs nothing but Python itself."""
