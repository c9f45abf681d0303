-- What Trino thinks a statement reads; auditkit/engines/trino/engine.py puts the statement behind it.
EXPLAIN (TYPE IO, FORMAT JSON)
