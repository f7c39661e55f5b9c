"""The right pane: the passages an answer rests on, and the document open at one of them."""
