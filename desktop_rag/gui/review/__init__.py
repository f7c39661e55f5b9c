"""The review sheet: what is private in a document, before anything of it is indexed."""
