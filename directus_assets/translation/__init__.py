"""Texts cut into segments, translated, checked, and put back without touching anything else."""
