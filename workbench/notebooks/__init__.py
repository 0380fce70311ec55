"""A notebook and its parts: parameters, cells, outputs, how it was executed."""
