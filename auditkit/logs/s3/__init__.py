"""Logs where AWS delivers them: listed by day, read many at a time, with the user's own credentials."""

from auditkit.logs.s3.bucket import Bucket
from auditkit.logs.s3.listing import list_files
from auditkit.logs.s3.objects import Objects

__all__ = ["Bucket", "Objects", "list_files"]
