"""Blocks that notebook cells publish, the papermill run, and the one HTML file made of both."""
