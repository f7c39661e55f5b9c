"""The Privacy page: the leak audit and the self-test, run from the window, their pages saved."""
