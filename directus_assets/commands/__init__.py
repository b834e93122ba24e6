"""What the command line does, one module or folder for each command. No sensor, asset or job is defined here."""
