"""The caller's images to upload parts: refused with a reason, untouched, or re-encoded."""
