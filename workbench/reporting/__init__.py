"""Pages for people who read without Jupyter: the report of a run, the card of a model."""
