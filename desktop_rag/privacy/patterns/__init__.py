"""Personal data known by its shape, its checksum and the words beside it; one module per pack."""
