"""The run table: a columnar copy of what is shown of very many runs, of this project or of any MLflow tracking store."""
