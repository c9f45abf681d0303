-- How a table of Trino was made; auditkit/engines/trino/tables.py names the table.
SHOW CREATE TABLE :table
