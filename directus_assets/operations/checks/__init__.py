"""The checks of `doctor`: small functions, each from a subject to its findings.

A check that cannot get at what it looks at raises one of our errors, which becomes a finding of its own.
"""
