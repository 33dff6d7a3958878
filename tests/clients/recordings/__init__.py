"""Answers of the real API Gateway, and the calls that led to them, played again on the server under test.

`answers/*.json` hold what AWS answered, per recorded test a list of `[label, HTTP status, answer]`; the calls stand in the
`*_calls.py` modules, in words of our own; `replay.py` plays and compares; `matches.txt` says how many answers match.
"""
