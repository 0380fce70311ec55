"""Where runs come from (provenance) and where everybody's tools find them (MLflow)."""
