"""The command line: one module or folder per command. Sensors, assets and jobs are defined elsewhere."""
