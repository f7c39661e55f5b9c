"""Models on this machine: the catalogue, the starter models, conversion, and what a model file says of itself."""
