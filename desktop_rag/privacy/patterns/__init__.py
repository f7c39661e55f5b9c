"""Personal data by shape, checksum and the words around it."""
