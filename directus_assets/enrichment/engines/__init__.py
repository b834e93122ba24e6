"""Who finds out what is declared: engines behind one protocol."""
