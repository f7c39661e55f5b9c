"""The window. The only folder that may import Qt; it reaches everything else through `gui.backend`."""
