"""What a derivative is, how it is named, rendered and delivered."""
