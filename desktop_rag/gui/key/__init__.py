"""Locking and unlocking the library in the window, and who keeps its key."""
