"""Trino: statements through its Python client, and what its tables look like."""
