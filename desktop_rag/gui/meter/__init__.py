"""The meter strip at the bottom of the window."""
