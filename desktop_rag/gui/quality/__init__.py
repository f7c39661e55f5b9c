"""The Search quality page: how well each way of searching finds the right passage, on the user's own questions."""
