"""The shield: what the operating system refuses to each process, and the button that makes each of them prove it."""
