"""Is each log file as CloudTrail delivered it? The digests that it signs every hour say so."""
