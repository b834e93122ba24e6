"""What an operator runs: `doctor` and `setup`, and the list of rights that both go by."""
