"""Desktop RAG: ask your own private documents, on your own machine."""

__version__ = "0.1.0"
