"""JupyterLab views: each shows a record, passes on what a person wants, and leaves a static twin behind."""
