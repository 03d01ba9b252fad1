"""Runware's task API, over HTTP and WebSocket."""
