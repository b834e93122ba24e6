"""The engines that translate segments."""
