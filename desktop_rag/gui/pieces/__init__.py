"""Small reusable pieces of the window: buttons, labels, notices, popovers."""
