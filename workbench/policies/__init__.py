"""What a policy asks of a model, and who may say what."""
