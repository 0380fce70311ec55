"""Finding runs again: by what people say of them and by what they are; putting them aside, removing them, taking them elsewhere."""
