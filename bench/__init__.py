"""Measurements, side by side: what the pipeline needs, and what the same work needs without it.

Every part starts what it measures on this machine (Linux), and stops it again. Absolute figures are this machine's and
this moment's; ratios are of rounds that took turns, so that a busy moment meets all of them.
"""
