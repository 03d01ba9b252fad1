"""core.today's job API; what its page leaves open is chosen here, and named in docs/clients.md."""
