"""A stand-in for the OpenAI Images API: same rules, same errors, pictures of its own.

Start it with ``python -m sandbox``. The product never imports this package.
"""
