"""Principals and sessions: who stood behind a call, and what they used."""
