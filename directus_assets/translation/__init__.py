"""Splits texts into segments, translates and checks them, and puts them back without touching anything else."""
