"""The sidebar: search, new chat, conversations, collections and the pages."""
