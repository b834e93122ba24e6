"""Side-by-side measurements: the cost of the pipeline, and of the same work without it.

Every part starts what it measures on this machine (Linux), and stops it again. Absolute figures are those of this
machine and moment; ratios come from interleaved rounds, so that a busy moment affects all sides.
"""
