"""The published clients, unchanged, in environments of their own, over real sockets."""
