"""Raw logs to records: find the files, open them, tell their kind, read them. Nothing else parses a log."""
