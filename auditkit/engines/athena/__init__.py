"""Athena: statements through PyAthena, rows by way of files in S3, and its words in ours."""
