"""Tables for Athena and Trino: printed, looked at, and allowed."""
