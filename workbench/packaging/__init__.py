"""From a model's files to the bytes that are served: safe loading, compiling, inspecting, building."""
