"""What the rules found, as other programs read it: pure functions from a RuleRun to JSON values.

`sarif` for code scanning and result viewers, `ocsf` for security lakes and SIEMs, `navigator` for the ATT&CK Navigator.
"""
