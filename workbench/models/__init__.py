"""From a model's files to what answers in its place: the contract, safe loading, confined inspection, serving forms."""
