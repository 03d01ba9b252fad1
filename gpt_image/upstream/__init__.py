"""The only folder that talks to the upstream: payers, retries, a call, its answer, its errors."""
