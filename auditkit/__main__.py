"""`python -m auditkit`: the command line, where the script of that name is not on the path."""

from auditkit.cli import main

main()
